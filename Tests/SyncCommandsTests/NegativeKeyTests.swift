import ArgumentParser
import Testing

@testable import SyncCommands

@Suite("Negative keys") struct NegativeKeyTests {
    @Test(
        "are written as the parser takes them, and nothing else is",
        arguments: [
            ("show -5", "show -- -5"), ("show -5 --format json", "show --format json -- -5"),
            ("show --format json -5", "show --format json -- -5"), ("show -- -5", "show -- -5"),
            ("show 5", "show 5"), ("show -x", "show -x"), ("show --set a=-5 1", "show --set a=-5 1"),
            ("resync --user -5", "resync --user=-5"),
            ("resync --user -5 3 -7 --yes", "resync --user=-5 3 --user=-7 --yes"),
            ("resync --user 3 -5", "resync --user 3 --user=-5"), ("resync --user=-5 -6", "resync --user=-5 --user=-6"),
            ("log --user -5 --follow", "log --user=-5 --follow"), ("run -5", "run -- -5"), ("-5", "-- -5"),
            ("resync --user -5 -- 7", "resync --user=-5 -- 7"),
        ])
    func escaping(_ given: String, _ escaped: String) {
        let words = { (text: String) in text.split(separator: " ").map { String($0) } }
        #expect(NegativeKeys.escaped(in: words(given)) == words(escaped))
    }

    @Test("reach the commands")
    func reachCommands() throws {
        let parsed = { (text: String) in
            try SubscriberSync.parseAsRoot(NegativeKeys.escaped(in: text.split(separator: " ").map { String($0) }))
        }
        #expect((try parsed("show -5 --format json") as? ShowCommand)?.key == "-5")
        #expect((try parsed("resync --user -5 3 -7 --yes") as? ResyncCommand)?.users == ["-5", "3", "-7"])
        #expect((try parsed("log --user -5 --limit 3") as? LogCommand)?.user == "-5")
    }
}
