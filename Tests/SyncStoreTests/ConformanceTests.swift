import Postgres
import SyncCore
import SyncSimulation
import SyncStore
import TestSupport
import Testing

/// The same random operations on the simulation's store and on PostgreSQL must agree.
///
/// The model's clock goes with the database's, which takes its time where the machine is busy, and is moved by moving the
/// times in the database the other way.
@Suite("The model of the store and the store itself") struct ConformanceTests {
    @Test("agree after every operation", arguments: 1...40)
    func agree(seed: UInt64) async throws {
        try await Fixture.run { fixture in
            let pair = try await Pair(fixture: fixture, seed: seed)
            for step in 0..<60 {
                let what = try await pair.act()
                let (real, model) = (try await pair.realState(), pair.modelState())
                guard real.count == model.count, zip(real, model).allSatisfy({ $0.agrees(with: $1) }) else {
                    Issue.record("seed \(seed), step \(step), \(what):\nreal  \(real)\nmodel \(model)")
                    return
                }
            }
            await pair.store.close()
        }
    }

    /// Both stores, and who is in flight in both.
    final class Pair {
        let fixture: Fixture
        let store: Store
        var model = ModelStore(leaseLength: 60_000, mapped: [.firstName, .jobTitle, .timeZone])
        let rules: PushRules
        var random: SeededRandom
        /// The model's clock, and how far the database's was moved, in milliseconds.
        var now: Int64 = 0
        var moved: Int64 = 0
        var inFlight: [UserKey: (real: Claim, model: Claim)] = [:]

        init(fixture: Fixture, seed: UInt64) async throws {
            self.fixture = fixture
            store = try await fixture.store()
            random = SeededRandom(seed: seed)
            rules = PushRules(referenceChange: seed % 2 == 0 ? .new : .hold)
        }

        func pick(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

        private func databaseNow() async throws -> Int64 {
            let time = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
            return try #require(try await fixture.value(time).flatMap { Int64($0) })
        }

        /// Whether somebody becomes due just now: the clocks differ by as long as a statement takes to get there.
        private var isTooCloseToCall: Bool {
            model.subscribers.values.contains { row in row.dueAt.map { abs($0 - now) < 1000 } ?? false }
        }

        /// Does one random thing to both.
        func act() async throws -> String {
            now = max(now + 1, try await databaseNow() + moved)
            while isTooCloseToCall { try await pass(2500) }
            switch pick(13) {
            case 0, 1, 2: return try await write()
            case 3, 4, 5: return try await claim()
            case 6, 7: return try await settle()
            case 8: return try await resync()
            case 9: return try await accept()
            case 10: return try await judge()
            case _: return try await wait()
            }
        }

        private func write() async throws -> String {
            let key = 1 + pick(4)
            let user = UserKey(String(key))
            guard pick(5) > 0 else {
                model.write(user, nil, now: now)
                try await fixture.run("DELETE FROM users WHERE id = \(key)")
                return "delete \(key)"
            }
            let reference = ["a@x", "B@x", " b@X ", "", "c@x"][pick(5)]
            let title: String? = [nil, " ", "Eng", "Dr"][pick(4)]
            let isIn = pick(6) > 0
            let zone: String? = [nil, "Berlin", "Europe/Berlin", "Nowhere"][pick(4)]
            let fields: [ProfileField: String?] = [.firstName: .some("F"), .jobTitle: title, .timeZone: zone]
            model.write(user, ModelSourceRow(reference: reference, fields: fields, inScope: isIn), now: now)
            let literals = [title, zone].map { text in text.map { "'\($0)'" } ?? "NULL" }.joined(separator: ", ")
            try await fixture.run(
                """
                INSERT INTO users (id, email, first_name, title, time_zone, deleted_at)
                VALUES (\(key), '\(reference)', 'F', \(literals), \(isIn ? "NULL" : "'2020-01-01'"))
                ON CONFLICT (id) DO UPDATE SET email = excluded.email, title = excluded.title,
                    time_zone = excluded.time_zone, deleted_at = excluded.deleted_at
                """)
            return "write \(key) \(reference) \(title ?? "nil") \(zone ?? "nil") \(isIn)"
        }

        private func claim() async throws -> String {
            let real = try await store.claim(limit: 100)
            let modelled = model.claim(limit: 100, foldLimit: Store.foldLimit, now: now)
            #expect(real.folded == modelled.folded)
            if real.claims.isEmpty { #expect((real.nextDue == nil) == (modelled.nextDue == nil)) }
            let ours = real.claims.sorted { $0.user < $1.user }
            let theirs = modelled.claims.sorted { $0.user < $1.user }
            #expect(ours.map(summary) == theirs.map(summary))
            for (one, other) in zip(ours, theirs) { inFlight[one.user] = (one, other) }
            return "claim of \(ours.count)"
        }

        /// Plans one user in flight, asks for admission, and settles with a random answer, or lets the lease go.
        private func settle() async throws -> String {
            guard let user = inFlight.keys.sorted().randomElement(using: &random), let pair = inFlight[user] else {
                return "nothing to settle"
            }
            inFlight[user] = nil
            guard pick(6) > 0 else { return "forget \(user)" }
            let seed = random.next()
            let (limit, outcome) = ([nil, 2, 1][pick(3)], outcome())
            let real = try await realSettlement(pair.real, limit, outcome, seed)
            let modelled = modelSettlement(pair.model, limit, outcome, seed)
            #expect((real == nil) == (modelled == nil))
            guard let real, let modelled else { return "lease of \(user) lost at admission" }
            let report = try await store.settle([real])
            let expected = model.settle([modelled], now: now)
            #expect(
                report.settled == expected.settled && report.lost == expected.lost && report.dueNow == expected.dueNow)
            return "settle \(user) \(outcome)"
        }

        private func outcome() -> PushOutcome {
            let problem = Problem(code: "c", message: "m")
            let id = SubscriberID("32d94154-9297-418c-9a85-4a69e0c67c30")
            let all: [PushOutcome] = [
                .rejected(problem), .throttled(retryAfter: .seconds(9), problem), .unavailable(problem, .notSent),
                .unavailable(problem, .answered), .unavailable(problem, .unanswered), .account(problem),
            ]
            guard pick(2) == 0, let id else { return all[pick(all.count)] }
            return .accepted(id)
        }

        private func realSettlement(
            _ claim: Claim, _ limit: Int?, _ outcome: PushOutcome, _ seed: UInt64
        ) async throws -> Settlement? {
            var plan = PushPlan(for: claim, rules: rules)
            if case .push(let push) = plan, push.needsAdmission {
                let request = AdmissionRequest(user: claim.user, lease: claim.lease, reference: push.reference)
                let answer = try await store.admit([request], limit: limit)[claim.user] ?? .leaseLost
                guard let admitted = plan.admitted(as: answer) else { return nil }
                plan = admitted
            }
            return settlement(claim, plan, outcome, seed)
        }

        /// An operator answers what the brakes hold.
        private func judge() async throws -> String {
            let control = FleetControl(session: fixture.session, operatorName: "me")
            let isYes = pick(2) == 0
            let real = try await isYes ? control.approve() : control.reject()
            let modelled = isYes ? model.approve(now: now) : model.reject(window: 600_000, now: now)
            #expect(real == Judgement(changed: modelled.changed, new: modelled.new))
            return isYes ? "approve" : "reject"
        }

        private func modelSettlement(
            _ claim: Claim, _ limit: Int?, _ outcome: PushOutcome, _ seed: UInt64
        ) -> Settlement? {
            var plan = PushPlan(for: claim, rules: rules)
            if case .push(let push) = plan, push.needsAdmission {
                let request = ModelAdmissionRequest(user: claim.user, lease: claim.lease, reference: push.reference)
                let answer = model.admit([request], limit: limit ?? -1, now: now).first?.1 ?? .leaseLost
                guard let admitted = plan.admitted(as: answer) else { return nil }
                plan = admitted
            }
            return settlement(claim, plan, outcome, seed)
        }

        private func settlement(_ claim: Claim, _ plan: PushPlan, _ outcome: PushOutcome, _ seed: UInt64) -> Settlement?
        {
            var random = SeededRandom(seed: seed)
            guard case .push(let push) = plan else { return Settlement(of: claim, plan: plan) }
            if seed % 3 == 0, push.isHeldByBrake(claim) { return Settlement(braking: claim, push: push) }
            return Settlement(of: claim, push: push, answer: PushAnswer(outcome: outcome), using: &random)
        }

        private func resync() async throws -> String {
            let users = (1...4).map { UserKey(String($0)) }.filter { _ in pick(2) == 0 }
            let isForced = pick(2) == 0
            model.resync(.users(users), isForced: isForced, now: now)
            _ = try await store.resync(users, isForced: isForced)
            return "resync \(users) \(isForced)"
        }

        private func accept() async throws -> String {
            let users = (1...4).map { UserKey(String($0)) }.filter { _ in pick(3) == 0 }
            let modelled = model.acceptReferences(of: users, now: now)
            #expect(try await store.acceptReferences(modelled) == Set(modelled.map(\.user)))
            return "accept \(users)"
        }

        /// Time passes: up to more than a lease.
        private func wait() async throws -> String {
            let wait = [500, 10_000, 61_000, 130_000][pick(4)]
            try await pass(Int64(wait))
            return "wait \(wait) ms"
        }

        private func pass(_ wait: Int64) async throws {
            now += wait
            moved += wait
            let earlier = "- interval '\(wait) ms'"
            try await fixture.run(
                """
                UPDATE subscriber_sync.control SET extra_until = extra_until \(earlier);
                UPDATE subscriber_sync.subscriber SET due_at = due_at \(earlier),
                    doubted_until = doubted_until \(earlier), admitted_at = admitted_at \(earlier),
                    last_attempt_at = last_attempt_at \(earlier);
                UPDATE subscriber_sync.pair SET admitted_at = admitted_at \(earlier)
                """)
        }

        // MARK: - What is compared

        private func summary(_ claim: Claim) -> String {
            let plan =
                switch PushPlan(for: claim, rules: rules) {
                case .nothing: "nothing"
                case .hold(let reason): "hold \(reason)"
                case .forget(let reason): "forget \(reason)"
                case .push(let push): "push \(push.changed) \(push.fields.keys.sorted()) \(push.needsAdmission)"
                }
            return "\(claim.user) v\(claim.version) #\(claim.attempt) \(claim.standing) \(claim.isDoubted) "
                + "\(claim.admitted?.text ?? "-") \(claim.subscriber?.text ?? "-") \(plan)"
        }

        /// A user's row; when it is due is the one thing that can't be told to the millisecond.
        struct Row: CustomStringConvertible {
            let text: String
            /// Milliseconds from now; `nil`: never.
            let dueIn: Int64?

            func agrees(with other: Row) -> Bool {
                guard text == other.text else { return false }
                guard let dueIn, let theirs = other.dueIn else { return dueIn == nil && other.dueIn == nil }
                return abs(dueIn - theirs) < 3000
            }

            var description: String { "\(text) due \(dueIn.map { "in \($0) ms" } ?? "never")" }
        }

        func modelState() -> [Row] {
            modelSubscribers()
                + model.pairs.map { pair in
                    "\(pair.user) had \(pair.reference) \(pair.subscriberID?.text ?? "-") "
                        + "\(pair.fields.map(\.rawValue).sorted().joined(separator: ","))"
                }.sorted().map { Row(text: $0, dueIn: nil) }
        }

        private func modelSubscribers() -> [Row] {
            model.subscribers.values.sorted { $0.user < $1.user }.map { row in
                let told = row.told.map { "\($0.key.rawValue)\($0.value == .unknown ? "?" : "")" }.sorted()
                let text =
                    "\(row.user) \(row.standing.rawValue) w\(row.wanted) a\(row.attempts) "
                    + "\(row.lease != nil) \(row.admittedAt != nil) \(row.reference ?? "-") "
                    + "\(row.doubtedUntil != nil) p\(row.priority) \(row.lastErrorCode ?? "-") "
                    + "\(row.acceptedReference?.text ?? "-") \(told)"
                return Row(text: text, dueIn: row.dueAt.map { $0 - now })
            }
        }

        func realState() async throws -> [Row] {
            let pairs = try await fixture.column(
                "SELECT user_key || ' had ' || reference || ' ' || coalesce(subscriber_id::text, '-') || ' ' "
                    + "|| array_to_string(fields, ',') FROM subscriber_sync.pair")
            return try await realSubscribers() + pairs.compactMap(\.self).sorted().map { Row(text: $0, dueIn: nil) }
        }

        private func realSubscribers() async throws -> [Row] {
            try await fixture.session.query(
                Statement<Row>(
                    "state",
                    """
                    SELECT user_key || ' ' || standing || ' w' || wanted || ' a' || attempts || ' '
                        || (lease IS NOT NULL)::text || ' ' || (admitted_at IS NOT NULL)::text || ' '
                        || coalesce(reference, '-') || ' ' || (doubted_until IS NOT NULL)::text || ' p' || priority || ' '
                        || coalesce(last_error_code, '-') || ' ' || coalesce(accepted_reference, '-') || ' ',
                        ARRAY(SELECT '"' || key || CASE WHEN value IS NULL THEN '?' ELSE '' END || '"'
                            FROM jsonb_each_text(told) ORDER BY key COLLATE "C"),
                        (extract(epoch FROM due_at - now()) * 1000)::bigint
                    FROM subscriber_sync.subscriber ORDER BY user_key
                    """
                ) { row throws(PostgresError) in
                    let told = try row.textArray(1).compactMap { $0 }.joined(separator: ", ")
                    return Row(text: try row.text(0) + "[\(told)]", dueIn: try row.optionalBigint(2))
                })
        }
    }
}
