import NIOHTTP1
import SyncCore
import Testing

@testable import SignalWire

@Suite("Redaction")
struct RedactionTests {
    @Test(
        "takes out a value however the server spells it",
        arguments: [
            ("Ada Lovelace", "name 'Ada Lovelace' is taken", "name '…' is taken"),
            ("Ada Lovelace", "ADA LOVELACE and ada lovelace", "… and …"),
            ("Ada Lovelace", "in /x?name=Ada%20Lovelace&y", "in /x?name=…&y"),
            ("Ada Lovelace", "in /x?name=Ada+Lovelace", "in /x?name=…"),
            ("ada+x@example.com", "ref ada%2Bx%40example.com!", "ref …!"),
            ("ada+x@example.com", "ref ada%2bx%40EXAMPLE.com!", "ref …!"),
            (#"Ada "The" Lovelace"#, #"got "Ada \"The\" Lovelace""#, #"got "…""#),
            (#"C:\Ada"#, #"got C:\\Ada"#, "got …"),
            ("Zoë Müller", #"got Zo\u00eb M\u00FCller"#, "got …"),
            ("🙂 Ada", #"got \ud83d\ude42 Ada"#, "got …"),
            ("O'Brien & Sons", "got O&#39;Brien &amp; Sons", "got …"),
            ("Ada  Lovelace", "Ada Lovelace", "…"),
            ("Ada Lovelace", "Ada\n\tLovelace", "…"),
            ("ÅSA LIND", "åsa lind", "…"),
        ])
    func spellings(value: String, message: String, expected: String) {
        #expect(Redaction([value]).applied(to: message) == expected)
    }

    @Test("takes out a long value that was cut short")
    func cutValues() {
        let value = String(repeating: "secret word; ", count: 900) + "end"
        #expect(Redaction([value]).applied(to: "'\(value.prefix(40))...' is too long") == "'…...' is too long")
        #expect(Redaction([value]).applied(to: "'\(value)' is too long") == "'…' is too long")
    }

    @Test("takes out very short values only where they are words")
    func shortValues() {
        let redaction = Redaction(["US", "é", ""])
        #expect(redaction.applied(to: "US must use the status") == "… must use the status")
        #expect(redaction.applied(to: "[us] é café") == "[…] … café")
    }

    @Test("takes the longest of several values, and all of them")
    func several() {
        let redaction = Redaction(["Ada", "Ada Lovelace", "Lovelace Ltd"])
        #expect(redaction.applied(to: "Ada Lovelace at Lovelace Ltd, Ada") == "… at …, …")
    }

    @Test("leaves one line without control or direction characters")
    func oneLine() {
        let message = "a\r\nb\u{1B}[31mc\u{202E}d\u{0}e\u{2028}f\u{7F}"
        #expect(Redaction([]).applied(to: message) == "a b [31mcd e f")
    }

    @Test(
        "takes out what looks like a token, which nobody sent",
        arguments: [
            ("token eyJhbGciOiJkaXIiLCJlbmMi..a-_.b.c is old", "token … is old"),
            ("(eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiI3In0.c2VhbGVk)", "(…)"), ("eyJ, eyjust short", "eyJ, eyjust short"),
        ])
    func tokens(message: String, expected: String) {
        #expect(Redaction(["ada"]).applied(to: message) == expected)
        #expect(Redaction([]).isTouched(message) == (message != expected))
    }

    @Test("keeps no more than 300 scalars, however few characters they make")
    func boundedScalars() {
        let kept = Redaction([]).applied(to: "x" + String(repeating: "\u{301}", count: 70_000))
        #expect(kept.unicodeScalars.count == 300 && kept.utf8.count < 1000)
    }

    @Test("keeps no more than 300 characters")
    func bounded() {
        let kept = Redaction([]).applied(to: String(repeating: "x", count: 70_000))
        #expect(kept.count == 300)
        #expect(kept.hasSuffix("…"))
        #expect(Redaction([]).applied(to: String(repeating: "x", count: 300)).count == 300)
    }

    @Test("leaves nothing of a planted value in any problem", arguments: [400, 401, 403, 404, 422, 429, 500, 503])
    func planted(status: Int) {
        let sent = ["planted.ada@example.com", "Planted-Name", "planted_title"]
        let body = """
            {"errors":[
            {"type":"v","code":"planted_title","message":"Planted-Name is bad, PLANTED-NAME","attribute":"planted_title"},
            {"code":"x y","message":"see /subscribers?reference=planted.ada%40example.com","attribute":"reference"}]}
            """
        let outcome = PushOutcome.of(status, body, headers: ["location": "https://planted_title/"], sent: sent)
        #expect(outcome.problem != nil)
        #expect(!everyPrint(of: outcome).lowercased().contains("planted"))
    }

    @Test("does not take a documented code or field for a value that reads the same")
    func ownWords() {
        let body = #"{"errors":[{"code":"invalid_parameter","message":"no","attribute":"first_name"}]}"#
        let problem = PushOutcome.of(422, body, sent: ["invalid_parameter", "first_name", "first"]).problem
        #expect(problem == Problem(code: "invalid_parameter", message: "no", attribute: "first_name"))
    }
}
