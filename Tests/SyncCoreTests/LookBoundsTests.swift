import SyncCore
import Testing

@Suite("The bounds of a look") struct LookBoundsTests {
    static let start = Instant(nanoseconds: 0) + .seconds(60)
    static let first = LookBounds.Reached(due: "t1", change: "(7,1)")

    static func afterWhole(folded: Int) -> LookBounds {
        var bounds = LookBounds()
        bounds.looked(from: nil, reached: first, folded: folded, at: start)
        return bounds
    }

    @Test("are none at first, after a second, and when nothing was found")
    func whole() {
        #expect(LookBounds().next(at: Self.start) == nil)
        #expect(Self.afterWhole(folded: 3).next(at: Self.start) == Self.first)
        #expect(Self.afterWhole(folded: 3).next(at: Self.start + .milliseconds(999)) == Self.first)
        #expect(Self.afterWhole(folded: 3).next(at: Self.start + .seconds(1)) == nil)
        #expect(Self.afterWhole(folded: 0).next(at: Self.start) == nil)
    }

    @Test("move on with the changes, and stay where the whole look found what is due")
    func moves() {
        var bounds = Self.afterWhole(folded: 3)
        let later = LookBounds.Reached(due: "t2", change: "(9,4)")
        bounds.looked(from: Self.first, reached: later, folded: 2, at: Self.start + .milliseconds(500))
        #expect(bounds.next(at: Self.start + .milliseconds(600)) == LookBounds.Reached(due: "t1", change: "(9,4)"))
        #expect(bounds.next(at: Self.start + .seconds(1)) == nil, "the second is the whole look's")
    }
}
