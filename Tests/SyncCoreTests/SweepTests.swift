import SyncCore
import Testing

@Suite("A sweep's next step") struct SweepTests {
    static let full = SweepSchedule(kind: .full, interval: .seconds(60), reason: .periodic)
    static let recent = SweepSchedule(kind: .recent, interval: .seconds(5), reason: .poll)
    static let onlyAsked = SweepSchedule(kind: .full, interval: nil, reason: .periodic)

    static func state(
        _ underWay: SweepState.UnderWay? = nil, nextPage: Duration = .zero, finished: Duration? = .seconds(1),
        hasBaseline: Bool = true, requests: [String] = [], isBacklogged: Bool = false, isOthers: Bool = false
    ) -> SweepState {
        SweepState(
            underWay: underWay, untilNextPage: nextPage, sinceFinished: finished, hasBaseline: hasBaseline,
            requests: requests, isBacklogged: isBacklogged, isOthers: isOthers)
    }

    static let page = SweepState.UnderWay(reason: .periodic, leg: .source, reached: "7")

    static let table: [(String, SweepState, SweepSchedule, SweepStep)] = [
        ("first comes the baseline", state(finished: nil, hasBaseline: false), full, .begin(.baseline)),
        ("also where only requests count", state(hasBaseline: false), onlyAsked, .begin(.baseline)),
        ("and before any request", state(hasBaseline: false, requests: ["x"]), full, .begin(.baseline)),
        ("a recent one waits for it", state(hasBaseline: false), recent, .rest(.seconds(5))),
        ("a request doesn't wait", state(requests: ["truncate"]), full, .begin(.requested("truncate"))),
        ("but isn't the recent one's business", state(requests: ["truncate"]), recent, .rest(.seconds(4))),
        ("the interval passes", state(finished: .seconds(60)), full, .begin(.periodic)),
        ("or hasn't passed", state(finished: .seconds(57)), full, .rest(.seconds(3))),
        ("long waits are cut, so that requests are met soon", state(), full, .rest(.seconds(5))),
        ("without an interval there is nothing", state(finished: .seconds(999)), onlyAsked, .rest(.seconds(5))),
        ("none has ended yet", state(finished: nil), recent, .begin(.poll)),
        ("a page follows a page", state(page), full, .page(.periodic, .source, after: "7")),
        ("whatever was asked meanwhile", state(page, requests: ["x"]), full, .page(.periodic, .source, after: "7")),
        ("at its distance", state(page, nextPage: .milliseconds(80)), full, .wait(.milliseconds(80))),
        ("another mapping's is left alone", state(page, requests: ["x"], isOthers: true), full, .rest(.seconds(5))),
        ("and not into a backlog", state(page, isBacklogged: true), full, .wait(.seconds(1))),
    ]

    @Test("follows from what was found", arguments: table)
    func decides(_ row: (String, SweepState, SweepSchedule, SweepStep)) {
        #expect(SweepStep(for: row.1, schedule: row.2) == row.3, "\(row.0)")
    }

    @Test("after a page is the next page, the other leg, or the end")
    func advances() {
        for kind in SweepKind.allCases {
            for leg in SweepLeg.allCases {
                let full = SweepAdvance(kind: kind, leg: leg, lastKey: "9", isFull: true)
                #expect(full == .next(after: "9"))
                let last = SweepAdvance(kind: kind, leg: leg, lastKey: "9", isFull: false)
                #expect(last == (kind == .full && leg == .source ? .leg(.known) : .end))
                // A page of nothing but null keys, as a view may have them, has no end to go on from.
                #expect(SweepAdvance(kind: kind, leg: leg, lastKey: nil, isFull: true) == last)
            }
        }
    }

    @Test("reads its reason back from the tables, and only some reasons find drift")
    func reasons() {
        for reason in [SweepReason.baseline, .mapping, .periodic, .poll, .requested("truncate")] {
            #expect(SweepReason(text: reason.text) == reason)
        }
        #expect(SweepReason.periodic.findsDrift && SweepReason.requested("x").findsDrift)
        #expect(!SweepReason.baseline.findsDrift && !SweepReason.poll.findsDrift)
    }
}
