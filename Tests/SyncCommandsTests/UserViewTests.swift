import SyncCore
import Testing

@testable import SyncCommands
@testable import SyncStore

@Suite("What show says comes next") struct UserViewTests {
    static func view(status: String, _ standstill: FleetStandstill?) -> UserView {
        let user = UserKey("7")
        let claim = Claim(
            user: user, lease: Lease(token: 1), version: 1, attempt: 1, standing: .unsynced,
            source: .present(Reference("a@x"), Profile(columns: [:]), ProfileDigests(values: [:], empty: [:])),
            admitted: nil, subscriber: nil, told: [:], isDoubted: false)
        let isDue = status != "rejected"
        let row = SubscriberRow(
            userKey: "7", reference: nil, referenceSince: nil, subscriberID: nil, status: status, attempts: 1,
            changedAt: nil,
            dueAt: isDue ? "2026-11-24" : nil, dueInSeconds: isDue ? 30 : nil, lastAttemptAt: nil, syncedAt: nil,
            lastError: nil, lastErrorCode: nil)
        return UserView(claim: claim, row: row, standstill: standstill, rules: PushRules(), columns: [:])
    }

    static func paused(_ kind: String, _ reason: String?, probeIn seconds: Double? = nil) -> FleetStandstill {
        FleetStandstill(
            pause: FleetStatus.Pause(kind: kind, reason: reason, since: nil, nextProbe: nil), probeInSeconds: seconds,
            throttledUntil: nil, throttledForSeconds: nil)
    }

    static let free = FleetStandstill(pause: nil, probeInSeconds: nil, throttledUntil: nil, throttledForSeconds: nil)
    static let throttled = FleetStandstill(
        pause: nil, probeInSeconds: nil, throttledUntil: "2026-11-24", throttledForSeconds: 9)

    static let due: [(FleetStandstill, String)] = [
        (free, "due in 30 s: "),
        (paused("operator", "lunch"), "waits: pushing is paused by an operator: lunch; `resume` goes on; then due: "),
        (paused("operator", nil), "waits: pushing is paused by an operator; `resume` goes on; then due: "),
        (
            paused("account", "unauthorized: No.", probeIn: 4),
            """
            waits: pushing is paused because SignalWire refuses the account: unauthorized: No; mend it, and a probe or \
            `resume` goes on (the next probe in 4 s); then due: 
            """
        ),
        (
            paused("source", "source_changed: Gone."),
            """
            waits: pushing is paused because the users table can't be read as it is mapped: source_changed: Gone; it \
            goes on by itself once it can; then due: 
            """
        ),
        (
            paused("copied", nil),
            """
            waits: pushing is paused because this database is a copy of the one that was synced; `resume` goes on; then \
            due: 
            """
        ),
        (throttled, "waits 9 s, because SignalWire asked for silence; then due: "),
    ]

    @Test("is what keeps everybody from being pushed, and what ends that", arguments: due)
    func saysWhy(_ standstill: FleetStandstill, _ next: String) {
        #expect(Self.view(status: "pending", standstill).next == next + "a new subscriber would be created")
    }

    @Test("counts attempts, and lets alone who isn't due")
    func others() {
        #expect(Self.view(status: "retrying", Self.free).next == "tried again in 30 s, after 1 attempt")
        #expect(
            Self.view(status: "retrying", Self.throttled).next
                == "waits 9 s, because SignalWire asked for silence; then tried again, after 1 attempt")
        #expect(Self.view(status: "in_flight", Self.throttled).next.contains("Nobody else is pushed: waits 9 s"))
        #expect(Self.view(status: "rejected", Self.throttled).next.hasPrefix("nothing until the row changes"))
        #expect(Self.view(status: "rejected", Self.throttled).json.text.contains(#""throttled_until": "2026-11-24""#))
    }
}
