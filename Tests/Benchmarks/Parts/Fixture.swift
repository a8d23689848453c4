import FoundationEssentials

@testable import SignalWire
@testable import SyncCore

/// One user as most are: five columns with values, known to SignalWire, one of them changed.
struct Fixture: Sendable {
    let columns: [ProfileField: String?] = [
        .firstName: "Ada", .lastName: "Lovelace", .jobTitle: "Engineer", .companyName: "Analytical Engines Ltd.",
        .timeZone: "Europe/London",
    ]
    let reference: Reference
    let subscriber: SubscriberID
    let claim: Claim
    let push: Push
    let answer: PushAnswer
    /// Two tokens as long as SignalWire's.
    let answerBody: Data

    init?() {
        guard let reference = Reference("ada@example.com"),
            let subscriber = SubscriberID("5b0f1a34-7b7c-4d52-9f0e-3a1f6f1e2d11")
        else { return nil }
        let profile = Profile(columns: columns)
        let digests = Dictionary(uniqueKeysWithValues: columns.keys.enumerated().map { ($1, UInt64($0)) })
        var told = digests.mapValues { FieldDigest.known($0) }
        told[.jobTitle] = .known(99)
        let claim = Claim(
            user: UserKey("4711"), lease: Lease(token: 7), version: 3, attempt: 1, standing: .synced,
            source: .present(reference, profile, ProfileDigests(values: digests, empty: digests.mapValues { $0 + 50 })),
            admitted: reference, subscriber: subscriber, told: told, isDoubted: false)
        guard case .push(let push) = PushPlan(for: claim, rules: PushRules()) else { return nil }
        self.reference = reference
        self.subscriber = subscriber
        self.claim = claim
        self.push = push
        answer = PushAnswer(
            outcome: .accepted(subscriber), httpStatus: 200, requestID: "r-1", duration: .milliseconds(50))
        let token = String(repeating: "x", count: 400)
        answerBody = Data(
            #"{"subscriber_id":"\#(subscriber)","token":"\#(token)","refresh_token":"\#(token)"}"#.utf8)
    }
}
