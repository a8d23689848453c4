import FoundationEssentials

/// A closed schema of one request body: these fields and no others, and none of them null.
struct Schema: Sendable {
    /// What a field's value must be.
    enum Rule: Sendable {
        case text
        /// Text with something in it besides white space.
        case nonBlankText
        /// A text of so many characters.
        case length(ClosedRange<Int>)
        case uuid
        /// A whole number of Unix seconds, later than now.
        case futureTime
        case oneOf([String])
        /// 43 characters of base64url: what the browser SDK's fingerprint is.
        case fingerprint
    }

    struct Field: Sendable {
        let name: String
        let rule: Rule
        let isRequired: Bool

        init(_ name: String, _ rule: Rule, required isRequired: Bool = false) {
            self.name = name
            self.rule = rule
            self.isRequired = isRequired
        }
    }

    let fields: [Field]
    private let names: Set<String>

    init(_ fields: [Field]) {
        self.fields = fields
        names = Set(fields.map(\.name))
    }

    /// Everything that is wrong with the members: fields in the schema's order, then unknown keys by name.
    func problems(in members: [String: JSONValue], at now: Double) -> [ErrorItem] {
        let known = fields.compactMap { $0.problem(with: members[$0.name], at: now) }
        let unknown = members.keys.filter { !names.contains($0) }.sorted().map(ErrorItem.unknown)
        return known + unknown
    }
}

extension Schema.Field {
    fileprivate func problem(with value: JSONValue?, at now: Double) -> ErrorItem? {
        switch value {
        case nil: isRequired ? .missing(name) : nil
        case .null: .invalid(name, "can't be null")
        case .string(let text): problem(withText: text)
        case .integer(let number): problem(withInteger: number, at: now)
        case .bool, .number, .array, .object: .wrongType(name, rule)
        }
    }

    private func problem(withText text: String) -> ErrorItem? {
        switch rule {
        case .text: nil
        case .nonBlankText: text.allSatisfy(\.isWhitespace) ? .missing(name) : nil
        case .length(let range):
            range.contains(text.count)
                ? nil : .invalid(name, "must have \(range.lowerBound) to \(range.upperBound) characters")
        case .uuid: UUID(uuidString: text) == nil ? .invalid(name, "must be a UUID") : nil
        case .futureTime: .wrongType(name, rule)
        case .oneOf(let options):
            options.contains(text) ? nil : .unsupported(name, options)
        case .fingerprint: isFingerprint(text) ? nil : .invalid(name, "must be 43 characters of base64url")
        }
    }

    private func problem(withInteger number: Int, at now: Double) -> ErrorItem? {
        switch rule {
        case .futureTime: Double(number) > now ? nil : .invalid(name, "must be greater than \(Int(now))")
        case .text, .nonBlankText, .length, .uuid, .oneOf, .fingerprint: .wrongType(name, rule)
        }
    }

    private func isFingerprint(_ text: String) -> Bool {
        text.utf8.count == 43
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

extension ErrorItem {
    static func missing(_ name: String) -> ErrorItem {
        ErrorItem(code: "missing_required_parameter", message: "Required parameter is missing", attribute: name)
    }

    static func invalid(_ name: String, _ complaint: String) -> ErrorItem {
        ErrorItem(code: "invalid_parameter", message: "\(humanized(name)) \(complaint)", attribute: name)
    }

    static func unknown(_ name: String) -> ErrorItem {
        invalid(name, "is not a parameter of this call")
    }

    static func unsupported(_ name: String, _ options: [String]) -> ErrorItem {
        ErrorItem(
            code: "unsupported_option", message: "\(humanized(name)) must be \(options.joined(separator: " or "))",
            attribute: name)
    }

    static func wrongType(_ name: String, _ rule: Schema.Rule) -> ErrorItem {
        switch rule {
        case .futureTime: invalid(name, "must be an integer")
        case .text, .nonBlankText, .length, .uuid, .oneOf, .fingerprint:
            ErrorItem(code: "not_a_string", message: "\(humanized(name)) must be a string", attribute: name)
        }
    }

    /// `first_name` as `First Name`, which is how SignalWire's messages say it.
    private static func humanized(_ name: String) -> String {
        name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: " ")
    }
}
