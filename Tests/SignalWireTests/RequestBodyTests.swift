import Foundation
import SyncCore
import Testing

@testable import SignalWire

@Suite("A request's body")
struct RequestBodyTests {
    @Test("has the identity first and the profile in the order of its fields")
    func order() throws {
        let push = try push(
            "ada@example.com", [.region: "us-central", .firstName: "Ada", .timeZone: "Europe/London"],
            cleared: [.jobTitle])
        let request = TokenRequest(push, expireAt: 1_800_000_300, applicationID: "app-1")
        let expected =
            #"{"reference":"ada@example.com","expire_at":1800000300,"application_id":"app-1","#
            + #""first_name":"Ada","job_title":"","time_zone":"Europe/London","region":"us-central"}"#
        #expect(String(decoding: request.body, as: UTF8.self) == expected)
    }

    @Test("can hold every field that is documented")
    func everyField() throws {
        var request = TokenRequest(reference: try #require(Reference("r")), expireAt: 7, applicationID: "a")
        request.password = "correct horse"
        request.fingerprint = "f"
        request.scope = .refresh
        request.profile = Dictionary(uniqueKeysWithValues: ProfileField.allCases.map { ($0, $0.rawValue) })
        let object = try #require(JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any])
        let documented = [
            "reference", "expire_at", "application_id", "password", "first_name", "last_name", "display_name",
            "job_title", "company_name", "time_zone", "country", "region", "fingerprint", "scope",
        ]
        #expect(Set(object.keys) == Set(documented))
        #expect(object["scope"] as? String == "sat:refresh")
    }

    @Test("of a push never has a password, a fingerprint or a scope")
    func pushHasNoSecrets() throws {
        let all = Dictionary(
            uniqueKeysWithValues: ProfileField.allCases.map { ($0, $0 == .timeZone ? "Europe/London" : "x") })
        let request = TokenRequest(try push("r", all), expireAt: 1, applicationID: nil)
        let object = try #require(JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any])
        #expect(Set(object.keys) == Set(ProfileField.allCases.map(\.rawValue) + ["reference", "expire_at"]))
    }

    @Test("prints nothing of what it holds")
    func redactedPrinting() throws {
        var request = TokenRequest(
            try push("planted@example.com", [.firstName: "Planted"]), expireAt: 1, applicationID: nil)
        request.password = "planted-password"
        #expect(!everyPrint(of: request).lowercased().contains("planted"))
        #expect(!everyPrint(of: try settings(port: 1)).contains("planted"))
    }

    @Test("survives every kind of text", arguments: 0..<40)
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<50 {
            let text = randomText(&random)
            var writer = JSONObjectWriter()
            writer.add("number", Int64.min)
            writer.add("text", text)
            let decoded = try JSONDecoder().decode(Decoded.self, from: Data(writer.finished()))
            #expect(decoded.number == .min)
            #expect(Array(decoded.text.unicodeScalars) == Array(text.unicodeScalars))
        }
    }

    @Test("escapes what the format demands, and leaves the rest as it is")
    func escapes() {
        var writer = JSONObjectWriter()
        writer.add("t", "\"\\/\u{0}\u{1F}\u{8}\t\n\u{C}\r\u{7F}\u{2028}é🙂")
        let expected = #"{"t":"\"\\/\u0000\u001f\b\t\n\f\r"# + "\u{7F}\u{2028}é🙂\"}"
        #expect(String(decoding: writer.finished(), as: UTF8.self) == expected)
    }

    @Test("survives ten kilobytes")
    func long() throws {
        let text = String(repeating: "\"é🙂\u{1}", count: 1500)
        var writer = JSONObjectWriter()
        writer.add("number", 1)
        writer.add("text", text)
        #expect(try JSONDecoder().decode(Decoded.self, from: Data(writer.finished())).text == text)
    }

    private struct Decoded: Decodable {
        let number: Int64
        let text: String
    }

    /// Up to 30 scalars, half of them from the troublesome ones.
    private func randomText(_ random: inout SeededRandom) -> String {
        let troubles: [Unicode.Scalar] = [
            "\"", "\\", "/", "\u{0}", "\n", "\u{1F}", "\u{7F}", "\u{2028}", "\u{2029}", "\u{FEFF}",
        ]
        var view = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...30, using: &random) {
            let any = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random)) ?? "🙂"
            view.append(Bool.random(using: &random) ? any : troubles.randomElement(using: &random) ?? any)
        }
        return String(view)
    }
}
