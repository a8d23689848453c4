import SyncCore
import Testing

/// What users tables hold.
extension FuzzTests {
    private static let samples = [
        "America/New_York", "Eastern Time (US & Canada)", "(GMT+05:30) New Delhi", "W. Europe Standard Time",
        "UTC+02:00",
        "GMT−3", "Côte d’Ivoire", "Bosnia & Herzegovina", "DEU", "Zoe\u{308} Ångström", "한국", "e\u{323}\u{302}",
        "\u{1100}\u{1161}\u{11A8}", "a\u{345}\u{315}\u{300}",
    ]
    private static let pieces = [
        "UTC", "GMT", "+", "-", ":", "00", "/", "_", " ", "(", ")", "the ", "&", "\u{300}", "\u{308}", "\u{323}",
        "\u{0344}", "\u{AC00}", "\u{11A8}", "\u{200D}", "\u{1}", "\t", "\u{A0}",
    ]

    @Test("in a column is a value without a control character, and reads again as itself")
    func columns() {
        let choices = [
            ValueRules(), ValueRules(invalidTimeZone: .send, country: .iso2, displayName: .fullName),
            ValueRules(invalidTimeZone: .hold, constants: [.companyName: "Acme", .country: "Mali"]),
        ]
        FuzzRun.over("columns") { input in
            var columns: [ProfileField: String?] = [:]
            for field in ProfileField.allCases where input.once(in: 3) {
                let limit = input.once(in: 100) ? 70_000 : 500
                columns[field] = .some(input.text(from: Self.samples, tokens: Self.pieces, limit: limit))
            }
            let rules = input.pick(choices)
            let profile = Profile(columns: columns, rules: rules)
            for (field, value) in profile.values {
                let isClean = !value.unicodeScalars.contains { $0.properties.generalCategory == .control }
                guard isClean, !value.isEmpty else {
                    return .broken("\(field.rawValue): \(Array(value.utf8).shown)")
                }
            }
            let again = Profile(columns: profile.values.mapValues { .some($0) }, rules: rules)
            let shown = columns.values.map { Array(($0 ?? "").utf8).shown }
            // By bytes: to == a text in another normal form is the same.
            let isSame = again.values.mapValues { Array($0.utf8) } == profile.values.mapValues { Array($0.utf8) }
            return isSame ? .held : .broken("\(shown)")
        }
    }

    @Test("in place of a time zone or a country is one that stays what it is, or nothing")
    func names() {
        FuzzRun.over("names of zones and countries") { input in
            let text = input.text(from: Self.samples, tokens: Self.pieces, limit: 300)
            if let zone = TimeZoneName.canonical(text), TimeZoneName.canonical(zone) != zone {
                return .broken("\(text.debugDescription) is \(zone)")
            }
            if let country = CountryCode.alpha2(text), CountryCode.alpha2(country) != country {
                return .broken("\(text.debugDescription) is \(country)")
            }
            return .held
        }
    }
}
