import SignalWireSandbox
import TestSupport

/// The five failures by which queue systems are compared in public, each between two stretches of steady load.
enum Scenario: String, CaseIterable {
    /// PostgreSQL is restarted, fast and then as after a crash.
    case restart
    /// Every backend of the agents is ended, once a second.
    case backendKills = "backend-kills"
    /// 300 idle connections take every place that the server has, and the agents lose theirs.
    case exhaustion
    /// One of the agents is killed and stays away; the others carry its load.
    case workerKill = "worker-kill"
    /// One agent after the other is killed and started again.
    case repeatedKills = "repeated-kills"

    /// How long the failure lasts.
    static let span = Duration.seconds(20)

    func bringAbout(in world: World, _ striking: Striking) async throws {
        switch self {
        case .restart:
            try await striking.perform(.restart(.fast))
            try await Task.sleep(for: .seconds(5))
            try await striking.perform(.restart(.immediate))
        case .backendKills: try await striking.perform(.endBackends(times: 20, every: .seconds(1)))
        case .exhaustion:
            let crowd = Crowd(port: world.server.port ?? 0)
            defer { crowd.leave() }
            crowd.fill(300)
            try await Task.sleep(for: .seconds(1))
            await striking.endBackends()
            // The agents come back within a tenth of a second; the crowd is faster.
            for _ in 0..<100 {
                crowd.fill(2)
                try await Task.sleep(for: .milliseconds(5))
            }
            try await Task.sleep(for: .seconds(18))
        case .workerKill:
            await world.fleet.kill(0)
            try await Task.sleep(for: Self.span)
        case .repeatedKills:
            for round in 0..<6 {
                let agent = round % world.agents.count
                try await striking.perform(.kill(agents: [agent], downFor: .seconds(1)))
                try await Task.sleep(for: .seconds(2))
            }
        }
    }
}

/// Runs one scenario: load, failure, load; then everybody is compared.
struct ScenarioRun {
    let scenario: Scenario
    let agents: Int
    /// Changes a second, each of another user.
    let load: Int
    let trace: Trace
    static let users = 2000
    /// How long the rate is measured, before and after.
    static let window = Duration.seconds(15)

    /// What one scenario came to.
    struct Outcome {
        let scenario: Scenario
        var before = 0.0
        var during = 0.0
        var after = 0.0
        /// The longest time without an accepted call.
        var gap = Duration.zero
        var violations: [String] = []

        var recovery: Double { before > 0 ? after / before : 0 }
        var isGood: Bool { violations.isEmpty && recovery >= 0.98 }

        static let heading = """
            | scenario | before, users/s | during | after | recovery | longest gap | users lost |
            |---|---|---|---|---|---|---|
            """

        var row: String {
            let rates = [before, during, after].map { "\(($0 * 10).rounded() / 10)" }.joined(separator: " | ")
            let gap = (gap.seconds * 10).rounded() / 10
            return "| \(scenario.rawValue) | \(rates) | \(Int((recovery * 1000).rounded()) / 10) % "
                + "| \(gap) s | \(violations.count) |"
        }
    }

    func perform() async throws -> Outcome {
        let world = try await World.make(
            agents: agents, settings: World.settings(concurrency: 32, rate: 0), population: population,
            configuration: ["max_connections": "300"])
        do {
            world.sandbox.setFaults([Fault(.latency, latencyMilliseconds: 20)])
            let outcome = try await measure(world)
            await world.end(keepingFiles: false)
            return outcome
        } catch {
            await world.end(keepingFiles: false)
            throw error
        }
    }

    private var population: Write {
        Write(
            kind: .insert,
            sql: """
                INSERT INTO public.users (id, email, title)
                SELECT i, 'steady' || i || '@planted.example', 'Plantedtitle A' FROM generate_series(1, \(Self.users)) i
                """)
    }

    private func measure(_ world: World) async throws -> Outcome {
        let meter = Meter(sandbox: world.sandbox)
        let striking = Striking(world, trace)
        try await world.fleet.startAll()
        let healing = Healing(world: world, trace: trace)
        _ = try await healing.untilIdle()
        var outcome = Outcome(scenario: scenario)
        let loading = Task { await self.write(to: world) }
        defer { loading.cancel() }
        try await Task.sleep(for: .seconds(3))
        outcome.before = try await meter.rate { try await Task.sleep(for: Self.window) }
        trace.note("before: \(outcome.before)")
        outcome.during = try await meter.rate { try await scenario.bringAbout(in: world, striking) }
        trace.note("during: \(outcome.during)")
        outcome.after = try await meter.rate { try await Task.sleep(for: Self.window) }
        trace.note("after: \(outcome.after)")
        loading.cancel()
        await loading.value
        outcome.gap = meter.longestGap
        meter.stop()
        outcome.violations += try await healing.heal()
        outcome.violations += try await Comparison.make(world).problems()
        await world.fleet.stopAll()
        outcome.violations += try await Alone.make(world).judge().violations
        outcome.violations += await world.fleet.failures
        return outcome
    }

    /// Changes one user after the other at a steady pace. What couldn't be written in time is left out, so that
    /// nothing but the agents' own backlog has to be caught up with.
    private func write(to world: World) async {
        let start = ContinuousClock.now
        for number in 0... {
            let time = start + .milliseconds(1000 * number / load)
            guard (try? await Task.sleep(until: time)) != nil else { return }
            guard ContinuousClock.now - time < .milliseconds(500) else { continue }
            let key = number % Self.users + 1
            await world.application.perform(
                Write(
                    kind: .updateMapped,
                    sql: "UPDATE public.users SET title = 'Plantedtitle \(number)' WHERE id = \(key)"))
        }
    }
}
