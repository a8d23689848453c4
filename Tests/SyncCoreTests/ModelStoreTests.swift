import SyncCore
import SyncSimulation
import Testing

/// What the model of the database means, one sentence a test; the SQL is held to the same elsewhere.
@Suite("The model of the database")
struct ModelStoreTests {
    private static func store(_ users: String..., mistakes: Set<Mistake> = []) -> ModelStore {
        var store = ModelStore(leaseLength: 1000, mapped: Sample.mapped, mistakes: mistakes)
        for user in users { store.write(UserKey(user), row(user), now: 0) }
        return store
    }

    private static func row(_ reference: String?) -> ModelSourceRow {
        ModelSourceRow(reference: reference, fields: Sample.ann)
    }

    private static func ask(_ claim: Claim, _ text: String) -> ModelAdmissionRequest? {
        Reference(text).map { ModelAdmissionRequest(user: claim.user, lease: claim.lease, reference: $0) }
    }

    @Test("folds many changes of one user into one claim")
    func folds() {
        var store = Self.store("a", "b")
        store.write(UserKey("a"), nil, now: 1)
        let batch = store.claim(limit: 5, foldLimit: 10, now: 2)
        #expect(batch.folded == 3 && batch.claims.map(\.user.text) == ["a", "b"])
        #expect(store.changes.isEmpty && batch.nextDue == nil)
    }

    @Test("leaves who doesn't fit due, and a lease alone until it ends")
    func leases() {
        var store = Self.store("a", "b")
        #expect(store.claim(limit: 1, foldLimit: 10, now: 0).nextDue == 0)
        #expect(store.claim(limit: 5, foldLimit: 10, now: 1).claims.map(\.user.text) == ["b"])
        #expect(store.claim(limit: 5, foldLimit: 10, now: 999).claims.isEmpty)
        let takeover = store.claim(limit: 1, foldLimit: 10, now: 1000).claims.first
        #expect(takeover?.user.text == "a" && takeover?.isDoubted == true && takeover?.attempt == 2)
        #expect(takeover?.told == [.firstName: .unknown, .jobTitle: .unknown])
    }

    @Test("leaves a user whom somebody folded since the claim began to the next claim")
    func staleSnapshot() {
        var store = Self.store("a")
        store.resync(.all, isForced: false, now: 0)
        let old = store.snapshot(now: 1)
        _ = store.claim(limit: 0, foldLimit: 10, now: 2)
        #expect(store.claim(limit: 5, foldLimit: 10, reading: old).claims.isEmpty)
        #expect(store.claim(limit: 5, foldLimit: 10, now: 3).claims.count == 1)
    }

    @Test("makes a user due again whose wish moved, or whose lease was lost")
    func settles() throws {
        var store = Self.store("a")
        let claim = try #require(store.claim(limit: 1, foldLimit: 1, now: 0).claims.first)
        store.write(claim.user, nil, now: 1)
        _ = store.claim(limit: 1, foldLimit: 1, now: 2)
        let settlement = try #require(Settlement(of: claim, plan: .hold(.missingReference)))
        #expect(store.settle([settlement], now: 3).dueNow == 1)
        let again = store.settle([settlement], now: 4)
        #expect(again.lost == 1 && store.subscribers[claim.user]?.wanted == 3)
        #expect(store.log.map(\.outcome) == ["held", "lease_lost"])
    }

    @Test("admits within the limit, one user per reference, and nobody without a lease")
    func admits() throws {
        var store = Self.store("a", "b", "c", "d")
        let claims = store.claim(limit: 3, foldLimit: 10, now: 0).claims
        let texts = ["x", " X ", "y"]
        let requests = zip(claims, texts).compactMap { Self.ask($0, $1) }
        let lost = Claim.lost(UserKey("d"))
        let all = requests + [try #require(Self.ask(lost, "z"))]
        #expect(store.admit(all, limit: 1, now: 1).map(\.1) == [.admitted, .duplicate, .overLimit, .leaseLost])
        let first = try #require(requests.first)
        #expect(store.admit([first], limit: 1, now: 2).map(\.1) == [.admitted], "it was counted already")
    }

    @Test("lets one probe through during an account pause, later each time, and none during an operator's")
    func probes() {
        var store = Self.store("a", "b")
        store.pauseForAccount(now: 0)
        #expect(store.claim(limit: 5, foldLimit: 10, now: 0).gate == .paused(probeAfter: .seconds(5)))
        let probe = store.claim(limit: 5, foldLimit: 10, now: 5000)
        #expect(probe.gate == .probing && probe.claims.count == 1)
        #expect(store.control.probeAt == 10_000 && store.control.probeFailures == 1)
        store.resumeAfterProbe()
        #expect(store.control.pause == nil)
        store.pauseByOperator()
        store.resumeAfterProbe()
        #expect(store.claim(limit: 5, foldLimit: 10, now: 9_000_000).gate == .paused(probeAfter: nil))
    }

    @Test("takes live changes before those of a resync")
    func priorities() {
        var store = Self.store("a", "b")
        _ = store.claim(limit: 0, foldLimit: 10, now: 0)
        store.resync(.users([UserKey("0"), UserKey("a")]), isForced: true, now: 0)
        store.write(UserKey("c"), Self.row("c"), now: 1)
        store.resync(.users([UserKey("c")]), isForced: true, now: 1)
        _ = store.claim(limit: 0, foldLimit: 10, now: 1)
        #expect(store.subscribers[UserKey("0")] == nil, "nobody has that key")
        #expect(store.claim(limit: 9, foldLimit: 10, now: 2).claims.allSatisfy { $0.user.text == "b" || $0.isDoubted })
    }

    @Test("releases those whom the limit held, as far as the window has room")
    func releases() throws {
        var store = Self.store("a", "b")
        let claims = store.claim(limit: 2, foldLimit: 10, now: 0).claims
        _ = store.settle(claims.compactMap { Settlement(of: $0, plan: .hold(.newSubscriberLimit)) }, now: 1)
        #expect(store.isQuiet && store.releaseHeld(limit: 0, now: 2) == 0)
        #expect(store.releaseHeld(limit: 1, now: 2) == 1 && store.releaseHeld(limit: -1, now: 2) == 1)
    }
}

extension Claim {
    /// A claim whose lease nobody knows.
    fileprivate static func lost(_ user: UserKey) -> Claim { Sample.claim(lease: -1, user: user) }
}
