import Foundation
import Testing

@testable import SyncCore

@Suite("A country's code")
struct CountryCodeTests {
    @Test("is found by every code and name of the table, in any case")
    func everyName() {
        for (name, code) in CountryCode.named {
            for spelling in [name, name.uppercased(), name.lowercased(), "The \(name)", name + "."] {
                #expect(CountryCode.alpha2(spelling) == code, "\(spelling)")
            }
        }
        #expect(Set(CountryCode.named.map(\.code)).count == 249)
    }

    @Test("is the system's too, and a name means one country only")
    func agrees() {
        let codes = Set(CountryCode.named.map(\.code))
        let known = Set(Locale.Region.isoRegions.map(\.identifier).filter { $0.count == 2 })
        #expect(codes.subtracting(known).isEmpty)
        let byName = Dictionary(grouping: CountryCode.named) { $0.name.lowercased() }
        for (name, entries) in byName { #expect(Set(entries.map(\.code)).count == 1, "\(name)") }
    }

    @Test(
        "is what people mean who write it another way",
        arguments: [
            ("us", "US"), ("USA", "US"), ("U.S.A.", "US"), ("U.S.", "US"), ("United States of America", "US"),
            ("the netherlands", "NL"), ("Holland", "NL"), ("UK", "GB"), ("Great Britain", "GB"), ("DEU", "DE"),
            ("Germany", "DE"), ("Korea, Republic of", "KR"), ("South Korea", "KR"), ("Cote d'Ivoire", "CI"),
            ("Côte d’Ivoire", "CI"), ("Türkiye", "TR"), ("Bosnia & Herzegovina", "BA"), ("Viet Nam", "VN"),
            ("Vietnam", "VN"), ("Guinea-Bissau", "GW"), ("St. Lucia", "LC"), ("Macedonia", "MK"), ("RUSSIA", "RU"),
        ])
    func known(text: String, code: String) { #expect(CountryCode.alpha2(text) == code) }

    @Test("is none where nobody can say which country is meant", arguments: ["", "XX", "Korea", "Europe", "the", "."])
    func unknown(text: String) { #expect(CountryCode.alpha2(text) == nil) }
}
