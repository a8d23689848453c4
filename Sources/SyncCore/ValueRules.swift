/// How a column's text becomes the value that is sent: the operator's choices, and the one place that applies them.
///
/// Whoever reads a user (the agent, `show`, `resync --dry-run`) reads through these rules.
public struct ValueRules: Sendable, Hashable {
    /// What becomes of a time zone that is neither known nor can be translated.
    public enum InvalidTimeZone: String, Sendable, CaseIterable {
        /// The field is left out, and the log says so; what SignalWire has stays.
        case omit
        /// The user is held.
        case hold
        /// It is sent as it is, and SignalWire judges.
        case send
    }

    /// How a country is sent.
    public enum Country: String, Sendable, CaseIterable {
        case asIs = "as_is"
        /// As its ISO 3166-1 code of two letters, where that can be told.
        case iso2
    }

    /// What stands in for a blank display name.
    public enum DisplayName: String, Sendable, CaseIterable {
        case asIs = "as_is"
        /// The first and the last name.
        case fullName = "full_name"
    }

    public var invalidTimeZone: InvalidTimeZone
    public var country: Country
    public var displayName: DisplayName
    /// What is sent for a field whose column is blank, or which has none.
    public let constants: [ProfileField: String]

    public init(
        invalidTimeZone: InvalidTimeZone = .omit, country: Country = .asIs, displayName: DisplayName = .asIs,
        constants: [ProfileField: String] = [:]
    ) {
        self.invalidTimeZone = invalidTimeZone
        self.country = country
        self.displayName = displayName
        self.constants = constants.mapValues(cleaned).filter { !$0.value.isEmpty }
    }

    /// A value longer than this is no name of anybody or anything. Shorter ones are SignalWire's to judge.
    public static let longestValueBytes = 65_536

    /// Every field that may be sent, in its order.
    public func sentFields(mapped: some Sequence<ProfileField>) -> [ProfileField] {
        let built: [ProfileField] = displayName == .fullName ? [.displayName] : []
        return Set(mapped).union(constants.keys).union(built).sorted()
    }
}

extension ValueRules {
    /// What decides, besides the columns, which values are sent, as one text: two settings with the same text make the
    /// same of every row. Empty where a value is its column, cleaned.
    ///
    /// A choice about a field that is never sent decides nothing, so it isn't in it.
    public func signature(mapped: some Sequence<ProfileField>) -> String {
        let sent = Set(sentFields(mapped: mapped))
        var lines = constants.sorted { $0.key < $1.key }.map { "constant \($0.rawValue) \($1)" }
        if displayName == .fullName { lines.append("display_name \(displayName.rawValue)") }
        if sent.contains(.country), country == .iso2 { lines.append("country \(country.rawValue)") }
        if sent.contains(.timeZone) { lines.append("time_zone \(TimeZoneName.release) \(invalidTimeZone.rawValue)") }
        return lines.joined(separator: "\n")
    }
}

extension ValueRules {
    /// What stands in for a blank display name; `nil`: nothing.
    func displayName(of values: [ProfileField: String]) -> String? {
        switch displayName {
        case .asIs: return nil
        case .fullName:
            let names = [values[.firstName], values[.lastName]].compactMap(\.self)
            return names.isEmpty ? nil : names.joined(separator: " ")
        }
    }

    /// A country that can't be translated is sent as it is: SignalWire's list of countries isn't published.
    func country(of value: String) -> String {
        switch country {
        case .asIs: value
        case .iso2: CountryCode.alpha2(value) ?? value
        }
    }

    /// What becomes of a time zone.
    enum TimeZone: Hashable {
        case sent(String)
        case omitted
        case held

        var sent: String? {
            switch self {
            case .sent(let name): name
            case .omitted, .held: nil
            }
        }
    }

    func timeZone(of value: String) -> TimeZone {
        if let name = TimeZoneName.canonical(value) { return .sent(name) }
        return switch invalidTimeZone {
        case .omit: .omitted
        case .hold: .held
        case .send: .sent(value)
        }
    }
}
