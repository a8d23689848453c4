import FoundationEssentials

/// One thing that SignalWire has to say against a request, as it came: unchecked, not redacted.
struct Complaint: Sendable, Hashable {
    var code: String?
    var message: String?
    /// The request field that is meant.
    var attribute: String?

    /// Reads an error body in the shapes that occur: `{"errors":[{…}, …]}` and `{"error":"…"}`.
    ///
    /// - Returns: nothing where it is neither, such as a proxy's page of HTML.
    static func all(in body: Data) -> [Complaint] {
        guard let body = try? JSONDecoder().decode(ErrorBody.self, from: body) else { return [] }
        return body.errors.filter { $0 != Complaint() }
    }

    /// Codes that stop everybody: the account has no money, no room, or no plan for this.
    static let accountCodes: Set<String> = [
        "insufficient_balance", "account_limit_exceeded", "not_allowed_on_subscription_plan", "feature_not_available",
    ]

    static let throttleCode = "rate_limit_exceeded"

    /// Codes of SignalWire's documentation. They are words of theirs, so they are never taken for a value.
    static let knownCodes = accountCodes.union([
        throttleCode, "missing_required_parameter", "invalid_parameter", "not_a_string", "unsupported_option",
        "value_not_unique", "provided_id_is_unrecognized", "does_not_exist", "must_belong_to_project",
        "cannot_process", "internal_error_occurred",
    ])
}

/// The whole of an error body. What has an unexpected type counts as absent.
private struct ErrorBody: Decodable {
    private enum Key: CodingKey {
        case error
        case errors
    }

    let errors: [Complaint]

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let entries = try? container.decode([Entry].self, forKey: .errors) {
            errors = entries.map(\.complaint)
        } else if let text = try? container.decode(String.self, forKey: .error) {
            // A bare code in the place of the sentence is still a code.
            errors = [Complaint(code: Complaint.knownCodes.contains(text) ? text : nil, message: text)]
        } else {
            errors = []
        }
    }
}

/// One element of `errors`: an object, or leniently a plain sentence.
private struct Entry: Decodable {
    private enum Key: CodingKey {
        case code
        case message
        case attribute
    }

    let complaint: Complaint

    init(from decoder: any Decoder) throws {
        guard let container = try? decoder.container(keyedBy: Key.self) else {
            let text = try? decoder.singleValueContainer().decode(String.self)
            complaint = Complaint(message: text)
            return
        }
        let text = { try? container.decode(String.self, forKey: $0) }
        complaint = Complaint(code: text(.code), message: text(.message), attribute: text(.attribute))
    }
}
