import SyncCore
import SyncSimulation
import Testing

@Suite("Rules for values")
struct ValueRulesTests {
    private static func profile(_ columns: [ProfileField: String?], _ rules: ValueRules = ValueRules()) -> Profile {
        Profile(columns: columns, rules: rules)
    }

    @Test("make one value of a name in either normal form, so that only its bytes in the table differ")
    func normalForm() {
        let typed = ["Zo\u{EB}", "Zoe\u{308}", " Zoe\u{308}\u{A0}"].map { Self.profile([.firstName: $0]) }
        let digests = typed.map { modelDigests(of: $0, mapped: [.firstName]) }
        #expect(Set(digests).count == 1)
        #expect(typed.allSatisfy { $0.values[.firstName].map { Array($0.unicodeScalars).count } == 3 })
    }

    @Test("send a constant where the column is blank or there is none, and never over a value")
    func constants() {
        let rules = ValueRules(constants: [.companyName: " Acme\t", .jobTitle: "Clerk", .country: "  "])
        #expect(Self.profile([.companyName: "Own"], rules).values == [.companyName: "Own", .jobTitle: "Clerk"])
        #expect(Self.profile([.companyName: " "], rules).values == [.companyName: "Acme", .jobTitle: "Clerk"])
        #expect(rules.sentFields(mapped: [.timeZone]) == [.jobTitle, .companyName, .timeZone])
    }

    @Test("build a display name of first and last name only where asked to, and only in place of a blank one")
    func displayName() {
        let rules = ValueRules(displayName: .fullName, constants: [.displayName: "Somebody"])
        let names: [ProfileField: String?] = [.firstName: " Ada ", .lastName: "Lovelace", .displayName: nil]
        #expect(Self.profile(names).values[.displayName] == nil)
        #expect(Self.profile(names, rules).values[.displayName] == "Ada Lovelace")
        #expect(Self.profile([.lastName: "Lovelace"], rules).values[.displayName] == "Lovelace")
        #expect(Self.profile([.firstName: "Ada", .displayName: "AL"], rules).values[.displayName] == "AL")
        #expect(Self.profile([.firstName: nil], rules).values[.displayName] == "Somebody")
    }

    @Test("translate a country only where asked to, and leave what they don't know")
    func country() {
        let iso2 = ValueRules(country: .iso2)
        #expect(Self.profile([.country: "Germany"]).values[.country] == "Germany")
        #expect(Self.profile([.country: "Germany"], iso2).values[.country] == "DE")
        #expect(Self.profile([.country: "Atlantis"], iso2).values[.country] == "Atlantis")
    }

    @Test(
        "translate a known time zone whatever becomes of unknown ones", arguments: ValueRules.InvalidTimeZone.allCases)
    func knownZone(choice: ValueRules.InvalidTimeZone) {
        let profile = Self.profile([.timeZone: "Arizona"], ValueRules(invalidTimeZone: choice))
        #expect(profile.values == [.timeZone: "America/Phoenix"])
        #expect(!profile.omitsTimeZone && profile.holdReason == nil)
        #expect(Self.profile([.timeZone: " "], ValueRules(invalidTimeZone: choice)).values.isEmpty)
    }

    @Test("hold a user with an absurdly long value, and judge no shorter one")
    func tooLong() {
        let longest = String(repeating: "x", count: ValueRules.longestValueBytes)
        #expect(Self.profile([.jobTitle: longest]).values[.jobTitle] == longest)
        let profile = Self.profile([.firstName: "Ada", .jobTitle: longest + "x"])
        #expect(profile.holdReason == .valueTooLong && profile.values.isEmpty)
        let claim = Sample.claim(source: Sample.present(Sample.reference, [.jobTitle: longest + "x"]))
        #expect(PushPlan(for: claim, rules: PushRules()).word == "value_too_long")
    }

    @Test("have a signature that is empty where columns decide alone, and differs wherever they decide differently")
    func signatures() {
        let mapped: [ProfileField] = [.firstName, .timeZone, .country]
        #expect(ValueRules(invalidTimeZone: .hold, country: .iso2).signature(mapped: [.firstName]).isEmpty)
        let rules = [
            ValueRules(), ValueRules(invalidTimeZone: .hold), ValueRules(invalidTimeZone: .send),
            ValueRules(country: .iso2), ValueRules(displayName: .fullName),
            ValueRules(constants: [.companyName: "Acme"]), ValueRules(constants: [.companyName: "Acme 2"]),
            ValueRules(constants: [.jobTitle: "Acme"]), ValueRules(constants: [.country: "DE"]),
        ]
        let signatures = rules.map { $0.signature(mapped: mapped) }
        #expect(Set(signatures).count == rules.count)
        #expect(signatures == rules.map { $0.signature(mapped: mapped.reversed()) })
    }
}

@Suite("An unknown time zone")
struct UnknownTimeZoneTests {
    private static let mapped: [ProfileField] = [.firstName, .timeZone]
    private static let told = Told(
        uniqueKeysWithValues: modelDigests(
            of: Profile(columns: [.firstName: "Ann", .timeZone: "Europe/Berlin"]), mapped: mapped
        ).values.map { ($0, .known($1)) })

    private static func claim(_ zone: String, _ choice: ValueRules.InvalidTimeZone, name: String = "Ann") -> Claim {
        let columns: [ProfileField: String?] = [.firstName: name, .timeZone: zone]
        let profile = Profile(columns: columns, rules: ValueRules(invalidTimeZone: choice))
        let source = SourceState.present(Sample.reference, profile, modelDigests(of: profile, mapped: mapped))
        return Sample.claim(source: source, told: told)
    }

    @Test("that is left out is neither sent nor cleared, and the log says so whether something was sent or not")
    func leftOut() throws {
        let alone = Self.claim("Mars/Olympus", .omit)
        let plan = PushPlan(for: alone, rules: PushRules())
        #expect(plan.word == "nothing")
        #expect(Settlement(of: alone, plan: plan)?.note?.problem?.code == "invalid_time_zone")

        let other = Self.claim("Mars/Olympus", .omit, name: "Bea")
        let push = try #require(PushPlan(for: other, rules: PushRules()).push)
        #expect(push.fields == [.firstName: "Bea"] && push.changed == [.firstName])
        #expect(push.toldAfterwards[.timeZone] == Self.told[.timeZone])
        let subscriber = try #require(Sample.subscriber)
        var random = SeededRandom(seed: 1)
        let settlement = Settlement(
            of: other, push: push, answer: PushAnswer(outcome: .accepted(subscriber)), using: &random)
        #expect(settlement.standing == .synced && settlement.note?.outcome == .accepted)
        #expect(settlement.note?.problem?.code == "invalid_time_zone")
        #expect(settlement.note?.problem?.message.contains("Mars") == false)
    }

    @Test("holds the user, or is sent as it is, where the operator says so")
    func heldOrSent() throws {
        #expect(PushPlan(for: Self.claim("Mars", .hold), rules: PushRules()).word == "invalid_time_zone")
        let push = try #require(PushPlan(for: Self.claim("Mars", .send), rules: PushRules()).push)
        #expect(push.fields[.timeZone] == "Mars" && push.omission == nil)
    }

    @Test("that is mended to another name of the zone that was sent changes nothing")
    func sameZone() throws {
        let claim = Self.claim("(GMT+01:00) Berlin", .omit)
        let plan = PushPlan(for: claim, rules: PushRules())
        #expect(plan.word == "nothing")
        #expect(try #require(Settlement(of: claim, plan: plan)).note?.problem == nil)
    }
}
