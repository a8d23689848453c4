import SyncCore
import Testing

@Suite("A settlement")
struct SettlementTests {
    /// A push of one changed field, and its claim.
    private static func pushed(attempt: Int = 1, admitted: Reference? = Sample.reference) throws -> (Claim, Push) {
        let claim = Sample.claim(
            source: Sample.present(Sample.reference, [.firstName: "Ann", .jobTitle: "Doctor"]), admitted: admitted,
            attempt: attempt)
        return (claim, try #require(PushPlan(for: claim, rules: PushRules(referenceChange: .new)).push))
    }

    private static func settled(_ outcome: PushOutcome, attempt: Int = 1) throws -> Settlement {
        let (claim, push) = try pushed(attempt: attempt)
        var random = SeededRandom(seed: 1)
        return Settlement(of: claim, push: push, answer: PushAnswer(outcome: outcome), using: &random)
    }

    @Test("of a plan without a call says why, and counts no attempt")
    func withoutCall() throws {
        let plans: [(PushPlan, Standing, Settlement.Outcome)] =
            [
                (.nothing, .synced, .unchanged), (.forget(.deleted), .deleted, .deleted),
                (.forget(.outOfScope), .outOfScope, .outOfScope),
            ]
            + HoldReason.allCases.map { (.hold($0), .held, .held) }
        for (plan, standing, outcome) in plans {
            let settlement = try #require(Settlement(of: Sample.claim(), plan: plan))
            #expect(settlement.standing == standing)
            #expect(settlement.note?.outcome == outcome)
            #expect(settlement.due == .never)
            #expect(settlement.attempts == .cleared)
            #expect(settlement.doubt == .kept)
            #expect(settlement.subscriber == nil)
        }
        let (claim, push) = try Self.pushed()
        #expect(Settlement(of: claim, plan: .push(push)) == nil)
    }

    @Test("of one who is gone keeps which fields were sent, and erases what they were")
    func erases() {
        for reason in ForgetReason.allCases {
            let told = Settlement(of: Sample.claim(), plan: .forget(reason))?.told
            #expect(told == [.firstName: .unknown, .jobTitle: .unknown])
        }
    }

    @Test("of a hold names the reason")
    func namesTheReason() {
        for reason in HoldReason.allCases {
            #expect(Settlement(of: Sample.claim(), plan: .hold(reason))?.note?.problem?.code == reason.rawValue)
        }
    }

    @Test("that releases a claim leaves everything as it was")
    func releases() {
        let settlement = Settlement(releasing: Sample.claim())
        #expect(settlement.standing == nil && settlement.told == nil && settlement.note == nil)
        #expect(settlement.due == .after(.zero) && settlement.attempts == .givenBack && settlement.doubt == .kept)
    }

    @Test("of an accepted push writes down what was told, and ends the doubt")
    func accepted() throws {
        let settlement = try Self.settled(.accepted(try #require(Sample.subscriber)))
        #expect(settlement.standing == .synced && settlement.due == .never && settlement.doubt == .cleared)
        #expect(settlement.told == Sample.told([.firstName: "Ann", .jobTitle: "Doctor"]))
        #expect(settlement.attempts == .cleared && settlement.note?.outcome == .accepted)
        #expect(settlement.note?.changed == [.jobTitle])
    }

    @Test("tells of another subscriber than the one that was known")
    func subscriberChanged() throws {
        let other = try #require(Sample.otherSubscriber)
        #expect(try Self.settled(.accepted(other)).note?.outcome == .subscriberIDChanged)
        let (claim, push) = try Self.pushed(admitted: Sample.other)
        var random = SeededRandom(seed: 1)
        let renamed = Settlement(of: claim, push: push, answer: PushAnswer(outcome: .accepted(other)), using: &random)
        #expect(renamed.note?.outcome == .accepted, "another reference is another subscriber")
    }

    @Test("of a refusal parks the user")
    func rejected() throws {
        let settlement = try Self.settled(.rejected(Sample.problem))
        #expect(settlement.standing == .rejected && settlement.due == .never && settlement.attempts == .kept)
        #expect(settlement.told == nil && settlement.doubt == .kept)
    }

    @Test("of what isn't the user's fault gives the attempt back")
    func nobodysFault() throws {
        let throttled = try Self.settled(.throttled(retryAfter: .seconds(7), Sample.problem))
        #expect(throttled.due == .after(.seconds(7)) && throttled.standing == nil && throttled.attempts == .givenBack)
        let unnamed = try Self.settled(.throttled(retryAfter: nil, Sample.problem))
        if case .after(let wait) = unnamed.due { #expect(wait <= .seconds(1)) } else { Issue.record("never due") }
        let account = try Self.settled(.account(Sample.problem))
        #expect(account.due == .after(.zero) && account.standing == nil && account.attempts == .givenBack)
    }

    @Test("of a failure retries, and doubts as much as the request may have done", arguments: Reach.allCases)
    func unavailable(reach: Reach) throws {
        let settlement = try Self.settled(.unavailable(Sample.problem, reach), attempt: 30)
        #expect(settlement.standing == .retrying && settlement.attempts == .kept)
        if case .after(let wait) = settlement.due { #expect(wait <= .seconds(900)) } else { Issue.record("never due") }
        var doubted = Sample.told()
        doubted[.jobTitle] = .unknown
        switch reach {
        case .notSent: #expect(settlement.told == nil && settlement.doubt == .kept)
        case .answered: #expect(settlement.told == doubted && settlement.doubt == .kept)
        case .unanswered: #expect(settlement.told == doubted && settlement.doubt == .raised)
        }
        #expect(settlement.note?.outcome == (reach == .unanswered ? .unanswered : .unavailable))
    }
}
