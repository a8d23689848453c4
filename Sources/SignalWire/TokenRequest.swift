import SyncCore

/// The body of `create_subscriber_token`: every field that SignalWire documents for it.
///
/// A field that is `nil` is left out, which leaves what SignalWire has; an empty text clears it. The
/// schema knows no null. It holds a person's profile and perhaps a password, so it prints redacted.
struct TokenRequest: Sendable {
    /// Whose token it is. An unknown one becomes a new subscriber, which is billed.
    var reference: Reference
    /// Unix seconds; must be in the future. SignalWire's own default is two hours from now.
    var expireAt: Int64?
    /// A uuid.
    var applicationID: String?
    /// The profile: set or update.
    var profile: [ProfileField: String] = [:]
    /// Sets or changes the subscriber's password. Nothing that syncs ever fills it.
    var password: String?
    /// Binds the token to one browser (43 characters of base64url). Not for syncing.
    var fingerprint: String?
    /// What the token's holder may do with it. Not for syncing.
    var scope: Scope?

    /// The permissions that can be asked for.
    enum Scope: String, Sendable, CaseIterable {
        /// The holder may refresh the token without the application's server.
        case refresh = "sat:refresh"
    }

    /// The members in the order of the documentation, the profile in the order of `ProfileField`.
    var body: [UInt8] {
        var writer = JSONObjectWriter()
        writer.add("reference", reference.text)
        if let expireAt { writer.add("expire_at", expireAt) }
        if let applicationID { writer.add("application_id", applicationID) }
        if let password { writer.add("password", password) }
        if let fingerprint { writer.add("fingerprint", fingerprint) }
        if let scope { writer.add("scope", scope.rawValue) }
        for field in ProfileField.allCases.sorted() {
            if let value = profile[field] { writer.add(field.rawValue, value) }
        }
        return writer.finished()
    }

    /// Everything in it that must not come back in an error text.
    var sentValues: [String] {
        [reference.text] + profile.values + [applicationID, password, fingerprint].compactMap(\.self)
    }
}

extension TokenRequest {
    /// What a push sends: identity and profile. There is no way to a password from here.
    init(_ push: Push, expireAt: Int64, applicationID: String?) {
        self.init(reference: push.reference, expireAt: expireAt, applicationID: applicationID, profile: push.fields)
    }
}

extension TokenRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "‹token request with \(profile.count) profile fields›" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
