import SyncCore
import Testing

@Suite("What SignalWire has")
struct RemoteTests {
    static let resource = ResourceID("d369a402-7b43-4512-8735-9d5e1f387814")
    static let same: [ProfileField: String] = [.firstName: "Ann", .jobTitle: "Nurse", .country: "not mapped"]

    static func remote(
        _ id: SubscriberID? = Sample.subscriber, _ reference: Reference? = Sample.reference,
        _ fields: [ProfileField: String] = same
    ) -> RemoteSubscriber? {
        id.map { RemoteSubscriber(resource: resource, id: $0, reference: reference, fields: fields) }
    }

    /// A directory in which the users are noted too.
    static func directory(_ remotes: [RemoteSubscriber?], _ users: [Claim] = []) -> RemoteDirectory {
        var directory = RemoteDirectory()
        for remote in remotes.compactMap(\.self) { directory.add(remote) }
        for claim in users {
            guard case .present(let reference, _, _) = claim.source else { continue }
            directory.note(reference, claim.subscriber)
        }
        return directory
    }

    static func finding(_ claim: Claim, _ remotes: [RemoteSubscriber?], _ rules: PushRules = PushRules())
        -> RemoteFinding
    {
        RemoteFinding(for: claim, in: directory(remotes, [claim]), rules: rules)
    }

    static func plan(_ claim: Claim, _ remotes: [RemoteSubscriber?], others: [Claim] = []) -> AdoptionPlan {
        AdoptionPlan(for: claim, in: directory(remotes, [claim] + others), rules: PushRules())
    }

    static let unknown = Sample.claim(admitted: nil, subscriber: nil, standing: .unsynced, told: [:])

    @Test("is compared field by field, whatever it was told")
    func compares() {
        let claim = Sample.claim()
        #expect(Self.finding(claim, [Self.remote()]) == .same)
        #expect(Self.finding(Sample.claim(told: [:]), [Self.remote()]) == .same)
        let drifted = Self.remote(Sample.subscriber, Sample.reference, [.firstName: "Ann ", .jobTitle: ""])
        #expect(Self.finding(claim, [drifted]) == .differs([.firstName, .jobTitle]))
        let blank = Sample.claim(source: Sample.present(Sample.reference, [.firstName: "Ann"]), told: [:])
        #expect(
            Self.finding(blank, [Self.remote()]) == .differs([.jobTitle]), "what is blank here is cleared there")
        #expect(Self.finding(blank, [Self.remote()], PushRules(cleared: .omit)) == .same)
        let hidden = Self.remote(Sample.subscriber, Sample.reference, [.firstName: "Ann"])
        #expect(Self.finding(claim, [hidden]) == .same, "a field that isn't shown is as it was told")
        #expect(Self.finding(Sample.claim(told: [:]), [hidden]) == .differs([.jobTitle]))
    }

    @Test("tells a subscriber that is gone from one that was made anew, and one that was renamed")
    func identities() {
        let claim = Sample.claim()
        #expect(Self.finding(claim, []) == .missing)
        #expect(Self.finding(claim, [Self.remote(Sample.otherSubscriber)]) == .replaced([]))
        let drifted = Self.remote(Sample.otherSubscriber, Sample.reference, [.firstName: "", .jobTitle: "Nurse"])
        #expect(Self.finding(claim, [drifted]) == .replaced([.firstName]))
        #expect(Self.finding(claim, [Self.remote(Sample.subscriber, Sample.other)]) == .renamed)
        #expect(Self.finding(claim, [Self.remote(Sample.subscriber, nil)]) == .renamed)
        let spelled = Self.remote(Sample.otherSubscriber, Reference("ANN@example.org"))
        #expect(Self.finding(claim, [spelled]) == .missing, "nobody knows whether a push would find it")
        let folded = Self.remote(Sample.subscriber, Reference("ANN@example.org"))
        #expect(Self.finding(claim, [folded]) == .same, "the id says that it is the one")
        #expect(Self.finding(Self.unknown, [Self.remote()]) == .adoptable)
        #expect(Self.finding(Self.unknown, []) == .absent)
        #expect(Self.finding(Self.unknown, [Self.remote(), spelled]) == .ambiguous)
        #expect(
            Self.finding(Sample.claim(admitted: Sample.other), [Self.remote(Sample.subscriber, Sample.other)])
                == .held(.referenceChanged))
        for source in [SourceState.deleted, .outOfScope, .withoutProfile, Sample.present(nil)] {
            #expect(Self.finding(Sample.claim(source: source), []) == .notCompared)
        }
    }

    @Test("is adopted where exactly one user and one subscriber have the reference")
    func adopts() {
        guard case .adopt(let adoption) = Self.plan(Self.unknown, [Self.remote()]) else {
            Issue.record("not adopted")
            return
        }
        #expect(adoption.isSame && !adoption.isSpelledOtherwise && adoption.version == 3)
        #expect(adoption.told == Sample.told() && adoption.subscriber == Sample.subscriber)
        let drifted = Self.remote(Sample.subscriber, Sample.reference, [.firstName: "Anna", .jobTitle: ""])
        guard case .adopt(let differing) = Self.plan(Self.unknown, [drifted]) else {
            Issue.record("not adopted")
            return
        }
        #expect(!differing.isSame && differing.told == [.firstName: .unknown])
    }

    @Test("is written down as SignalWire spells it, so that a push waits for an operator")
    func spelling() {
        let capital = Reference("Ann@Example.org")
        guard case .adopt(let adoption) = Self.plan(Self.unknown, [Self.remote(Sample.subscriber, capital)]) else {
            Issue.record("not adopted")
            return
        }
        #expect(adoption.isSpelledOtherwise && !adoption.isSame && adoption.reference == capital)
        let shouting = Sample.claim(
            source: Sample.present(capital), admitted: nil, subscriber: nil, standing: .unsynced, told: [:])
        guard case .adopt(let small) = Self.plan(shouting, [Self.remote()]) else {
            Issue.record("not adopted")
            return
        }
        #expect(small.isSpelledOtherwise && small.reference == Sample.reference)
    }

    @Test("is left alone where it isn't clear whose it is")
    func ambiguous() {
        let twin = Sample.claim(
            source: Sample.present(Reference("ANN@EXAMPLE.ORG")), admitted: nil, subscriber: nil, user: UserKey("8"))
        let owner = Sample.claim(source: Sample.present(Sample.other), user: UserKey("9"))
        let second = Self.remote(Sample.otherSubscriber, Reference("ann@Example.org"))
        let cases: [(String, AdoptionPlan)] = [
            ("two users", Self.plan(Self.unknown, [Self.remote()], others: [twin])),
            ("two subscribers", Self.plan(Self.unknown, [Self.remote(), second])),
            ("another user's subscriber", Self.plan(Self.unknown, [Self.remote()], others: [owner])),
            (
                "called by another name",
                Self.plan(
                    Sample.claim(admitted: Sample.other, subscriber: nil), [Self.remote()])
            ),
        ]
        for (name, plan) in cases { #expect(plan.word == "ambiguous", "\(name)") }
        #expect(Self.plan(Sample.claim(), [Self.remote()]).word == "known")
        #expect(Self.plan(Self.unknown, []).word == "unmatched")
        #expect(Self.plan(Sample.claim(source: .outOfScope), []).word == "not compared")
    }

    @Test("and belongs to nobody is counted, with a few ids of resources")
    func unclaimed() {
        let nameless = Self.remote(Sample.otherSubscriber, nil)
        var directory = Self.directory([Self.remote(), nameless, nameless])
        #expect(directory.count == 2, "pages may overlap")
        #expect(directory.unclaimed(sample: 1).count == 2)
        #expect(directory.unclaimed(sample: 1).sample == [Self.resource].compactMap(\.self))
        directory.note(Sample.reference, nil)
        directory.note(nil, Sample.otherSubscriber)
        #expect(directory.unclaimed(sample: 5).count == 0)
        #expect(Self.directory([Self.remote(), Self.remote(Sample.otherSubscriber)]).duplicates == 1)
    }

    @Test("shows no value, whoever prints it")
    func redacted() {
        var dumped = ""
        dump(Self.remote(), to: &dumped)
        #expect(!(dumped + String(reflecting: Self.remote())).contains("Nurse"))
        #expect(Self.resource?.description == "d369a402-7b43-4512-8735-9d5e1f387814")
        #expect(
            ResourceID("00000000-0000-0001-0000-00000000000a")?.description == "00000000-0000-0001-0000-00000000000a")
    }
}

extension AdoptionPlan {
    fileprivate var word: String {
        switch self {
        case .adopt: "adopt"
        case .known: "known"
        case .unmatched: "unmatched"
        case .ambiguous: "ambiguous"
        case .notCompared: "not compared"
        }
    }
}
