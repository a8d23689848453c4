import SyncCore
import Testing

@Suite("Values")
struct ValueTests {
    @Test("A profile has no entry for NULL, empty or blank columns, and trims the others")
    func profile() {
        let profile = Profile(columns: [
            .firstName: nil, .lastName: "", .displayName: " \u{3000}\n", .jobTitle: "  Nurse\t",
            .companyName: "a\tb\u{1B}c",
            .region: "👩‍👩‍👧‍👦 é", .country: String(repeating: "x", count: 10_000),
        ])
        #expect(profile.values[.jobTitle] == "Nurse")
        #expect(profile.values[.companyName] == "a b c", "a control character is a space")
        #expect(profile.values[.region] == "👩‍👩‍👧‍👦 é")
        #expect(profile.values[.country]?.count == 10_000)
        #expect(profile.values.count == 4)
    }

    @Test("A reference is trimmed, never blank, and folds case")
    func reference() {
        #expect(Reference(nil) == nil && Reference("") == nil && Reference(" \n") == nil)
        #expect(Reference(" Ann@X ")?.text == "Ann@X")
        #expect(Reference(" Ann@X ")?.folded == Reference("ann@x")?.folded)
    }

    @Test(
        "A reference with a control character inside is none, unless SignalWire knows it already",
        arguments: ["a\tb", "a\nb", "a\u{1B}[31mb", "a\u{0}b", "a\u{7F}", "\u{1}a", "a\u{9B}b"])
    func controlledReference(raw: String) {
        #expect(Reference(raw) == nil)
        #expect(Reference(known: raw)?.text == raw)
        #expect(
            Reference(" \ta\u{301} b\r\n")?.text == "a\u{301} b", "white space around it is trimmed, inside it stays")
    }

    @Test("A subscriber's id is a uuid in lower case")
    func subscriberID() {
        #expect(SubscriberID("32D94154-9297-418C-9A85-4A69E0C67C30")?.text == "32d94154-9297-418c-9a85-4a69e0c67c30")
        for wrong in ["", "32d94154", "32d94154-9297-418c-9a85-4a69e0c67c3g", "32d941549297418c9a854a69e0c67c30----"] {
            #expect(SubscriberID(wrong) == nil)
        }
    }

    @Test("Users are ordered by bytes, as the database locks them")
    func order() {
        #expect(["b", "é", "B", "10", "9"].map(UserKey.init).sorted().map(\.text) == ["10", "9", "B", "b", "é"])
    }

    @Test("What prints a profile or a reference prints no value")
    func redacted() throws {
        let job = try #require(Sample.job())
        var dumped = ""
        dump(job, to: &dumped)
        dump(job.claim.source, to: &dumped)
        let printed = [
            String(describing: job.push), String(reflecting: job.push), "\(job.claim.source)", "\(job)", dumped,
        ]
        for text in printed {
            for secret in ["Ann", "Nurse", "ann@example.org"] { #expect(!text.contains(secret)) }
        }
    }
}

@Suite("Waits")
struct WaitTests {
    @Test("A backoff doubles up to its cap, and never overflows")
    func bounds() {
        let bounds = (1...5).map { Backoff.push.bound(afterFailures: $0) }
        #expect(bounds == [1, 2, 4, 8, 16].map { .seconds($0) })
        for failures in [11, 40, 64, 1000, .max] {
            #expect(Backoff.push.bound(afterFailures: failures) == .seconds(900))
        }
        #expect(Backoff.push.bound(afterFailures: 0) == .seconds(1))
    }

    @Test("A backoff's jitter is full: anything from nothing to the bound")
    func jitter() {
        var random = SeededRandom(seed: 1)
        let delays = (0..<500).map { _ in Backoff.push.delay(afterFailures: 4, using: &random) }
        #expect(delays.allSatisfy { $0 >= .zero && $0 <= .seconds(8) })
        #expect(delays.contains { $0 < .seconds(1) } && delays.contains { $0 > .seconds(7) })
    }

    @Test("A pace lets through what its rate says, in bursts of a tenth of a second", arguments: [0.5, 1, 7, 100])
    func pace(rate: Double) {
        var pace = Pace(rate: rate)
        var now = Instant(nanoseconds: 0)
        var taken = 0
        while now < Instant(nanoseconds: 60_000_000_000) {
            if pace.take(at: now) { taken += 1 } else { now = max(pace.next(after: now), now + .nanoseconds(1)) }
        }
        #expect(abs(Double(taken) - 60 * rate) <= max(2, rate / 10))
        now = now + .seconds(3600)
        var burst = 0
        while pace.take(at: now) { burst += 1 }
        #expect(burst <= Int(max(1, rate / 10)))
    }

    @Test("A pace of nothing is no limit")
    func unlimited() {
        var pace = Pace(rate: 0)
        let now = Instant(nanoseconds: 5)
        for _ in 0..<1000 where !pace.take(at: now) { Issue.record("held up") }
        #expect(pace.next(after: now) == now)
    }
}
