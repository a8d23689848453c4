import SyncCore
import Testing

@Suite("A plan")
struct PushPlanTests {
    private static let doubts = [false, true]

    @Test("forgets who is gone or out of scope, whatever else holds", arguments: Standing.allCases, doubts)
    func forgets(standing: Standing, isDoubted: Bool) {
        for admitted in [nil, Sample.reference, Sample.other] {
            for policy in PushRules.ReferenceChange.allCases {
                let rules = PushRules(referenceChange: policy)
                let gone = Sample.claim(source: .deleted, admitted: admitted, standing: standing, isDoubted: isDoubted)
                let left = Sample.claim(
                    source: .outOfScope, admitted: admitted, standing: standing, isDoubted: isDoubted)
                #expect(PushPlan(for: gone, rules: rules).word == "deleted")
                #expect(PushPlan(for: left, rules: rules).word == "out_of_scope")
            }
        }
    }

    @Test("holds who has no reference, whatever else holds", arguments: Standing.allCases, doubts)
    func holdsWithoutReference(standing: Standing, isDoubted: Bool) {
        for admitted in [nil, Sample.reference] {
            let claim = Sample.claim(
                source: Sample.present(nil), admitted: admitted, standing: standing, isDoubted: isDoubted)
            #expect(PushPlan(for: claim, rules: PushRules()).word == "missing_reference")
        }
    }

    @Test("holds who has no row in the profile, rather than clear everything", arguments: Standing.allCases, doubts)
    func holdsWithoutProfile(standing: Standing, isDoubted: Bool) {
        for admitted in [nil, Sample.reference, Sample.other] {
            let claim = Sample.claim(
                source: .withoutProfile, admitted: admitted, standing: standing, isDoubted: isDoubted)
            #expect(PushPlan(for: claim, rules: PushRules()).word == "missing_profile")
        }
    }

    @Test("of a changed reference follows the policy", arguments: Standing.allCases, doubts)
    func followsPolicy(standing: Standing, isDoubted: Bool) throws {
        let claim = Sample.claim(admitted: Sample.other, standing: standing, isDoubted: isDoubted)
        #expect(PushPlan(for: claim, rules: PushRules(referenceChange: .hold)).word == "reference_changed")
        let push = try #require(PushPlan(for: claim, rules: PushRules(referenceChange: .new)).push)
        #expect(push.needsAdmission)
        #expect(push.reference == Sample.reference)
        #expect(push.changed == Sample.mapped, "nothing of the old subscriber holds for the new one")
    }

    @Test("does nothing where SignalWire was told exactly this, but pushes in doubt")
    func trustsWhatWasTold() {
        for standing in [Standing.unsynced, .synced, .retrying, .rejected] {
            #expect(PushPlan(for: Sample.claim(standing: standing), rules: PushRules()).word == "nothing")
            let doubted = Sample.claim(standing: standing, isDoubted: true)
            #expect(PushPlan(for: doubted, rules: PushRules()).word == "push")
        }
    }

    @Test("pushes where no answer ever named the subscriber")
    func pushesWithoutSubscriber() {
        #expect(PushPlan(for: Sample.claim(subscriber: nil), rules: PushRules()).push?.changed == [])
    }

    @Test(
        "asks for admission where the user isn't known yet, or may have lost the reference",
        arguments: Standing.allCases)
    func asksForAdmission(standing: Standing) {
        let mayHaveLostIt = [Standing.deleted, .held, .outOfScope].contains(standing)
        let known = PushPlan(for: Sample.claim(standing: standing, isDoubted: true), rules: PushRules())
        #expect(known.push?.needsAdmission == mayHaveLostIt)
        let unknown = PushPlan(for: Sample.claim(admitted: nil, standing: standing), rules: PushRules())
        #expect(unknown.push?.needsAdmission == true)
    }

    @Test("clears a blank field that was sent before, and only such a one")
    func clears() throws {
        let blank = Sample.present(Sample.reference, [.firstName: "Ann", .jobTitle: " "])
        let sent = try #require(PushPlan(for: Sample.claim(source: blank), rules: PushRules()).push)
        #expect(sent.fields == [.firstName: "Ann", .jobTitle: ""])
        #expect(sent.changed == [.jobTitle])
        let never = Sample.claim(source: blank, told: Sample.told([.firstName: "Bea"]))
        #expect(PushPlan(for: never, rules: PushRules()).push?.fields == [.firstName: "Ann"])
        let omitting = PushPlan(for: Sample.claim(source: blank), rules: PushRules(cleared: .omit))
        #expect(omitting.word == "nothing")
    }

    @Test("takes a field of unknown value for a changed one")
    func distrustsTheUnknown() {
        var told = Sample.told()
        told[.jobTitle] = .unknown
        #expect(PushPlan(for: Sample.claim(told: told), rules: PushRules()).push?.changed == [.jobTitle])
    }

    @Test("becomes what the database said to it")
    func followsAdmission() {
        let plan = PushPlan(for: Sample.claim(admitted: nil), rules: PushRules())
        let words = Admission.allCases.map { plan.admitted(as: $0)?.word }
        #expect(words == ["push", "duplicate_reference", "new_subscriber_limit", nil])
    }
}
