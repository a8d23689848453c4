import Foundation
import Glibc
import SignalWireSandbox
import Synchronization
import TestSupport

/// Brings about what the plan says, and undoes it when its time is over.
final class Striking: Sendable {
    private let world: World
    private let trace: Trace
    private let counts = Mutex<[String: Int]>([:])

    init(_ world: World, _ trace: Trace) {
        self.world = world
        self.trace = trace
    }

    /// How often each thing went wrong.
    var struck: [String: Int] { counts.withLock { $0 } }

    func perform(_ strikes: [ChaosPlan.Timed<Strike>], from start: ContinuousClock.Instant) async throws {
        for strike in strikes {
            try await Task.sleep(until: start + strike.at)
            trace.note("\(strike.what.name) \(strike.what.details)")
            counts.withLock { $0[strike.what.name, default: 0] += 1 }
            try await perform(strike.what)
        }
    }

    func perform(_ strike: Strike) async throws {
        switch strike {
        case .kill, .suspend, .terminate, .freeze, .orphan: try await strikeProcesses(strike)
        case .restart, .endBackends, .exhaust: try await strikeDatabase(strike)
        case .hold, .lose, .reset, .refuse: try await strikeNetwork(strike)
        case .weather(let faults, let span):
            world.sandbox.setFaults(try faults.map(Fault.init(parsing:)))
            try await Task.sleep(for: span)
            world.sandbox.setFaults([])
        }
    }

    // MARK: Processes

    private func strikeProcesses(_ strike: Strike) async throws {
        switch strike {
        case .kill(let agents, let span):
            for agent in agents { await world.fleet.kill(agent) }
            try await Task.sleep(for: span)
            for agent in agents { try await world.fleet.start(agent) }
        case .suspend(let agent, let span):
            await world.fleet.suspend(agent)
            try await Task.sleep(for: span)
            await world.fleet.resume(agent)
        case .terminate(let agent):
            await world.fleet.terminate(agent)
            try await world.fleet.start(agent)
        case .freeze(let agent, let span, let direction, let write, let thaw):
            try await freeze(agent, span, direction, write, thaw)
        case .orphan(let insert, let move): try await orphan(insert, move)
        default: return
        }
    }

    private func freeze(
        _ agent: Int, _ span: Duration, _ direction: Strike.Direction, _ write: Write, _ thaw: Strike.Thaw
    ) async throws {
        let way = world.ways(.api, of: [agent])
        world.relay.hold(way, direction)
        await world.application.perform(write)
        await wait(atMost: .seconds(2)) { world.journal.open(by: agent) > 0 }
        // A few more, as many as there are at once.
        try await Task.sleep(for: .milliseconds(150))
        await world.fleet.suspend(agent)
        let frozen = world.journal.openReferences(by: agent)
        trace.note("  \(frozen.count) calls are frozen")
        await change(frozen, to: "frozen", changingKeys: thaw.changesKeys)
        // Whoever has the reference now is looked at again once the lease is over.
        let takeover = ChaosPlan.lease + .seconds(3)
        try await Task.sleep(for: min(span, takeover))
        if span > takeover { await change(frozen, to: "taken over") }
        try await Task.sleep(for: max(.zero, span - takeover))
        let others = world.ways(.api, of: world.agents.filter { $0 != agent })
        if thaw.changesAgain {
            // Others are in the middle of calls for the same users when it wakes up.
            world.relay.hold(others, .down)
            await change(frozen, to: "thawed")
            try await Task.sleep(for: .milliseconds(300))
        }
        world.relay.release(way, direction)
        await world.fleet.resume(agent)
        guard thaw.changesAgain else { return }
        try await Task.sleep(for: .milliseconds(700))
        world.relay.release(others, .down)
    }

    private func change(_ references: [String], to title: String, changingKeys: Bool = false) async {
        guard !references.isEmpty else { return }
        let list = references.map { literal($0) }.joined(separator: ", ")
        // Far above all keys that the plan gives.
        let key = changingKeys ? ", id = id + 1000000" : ""
        let sql = "UPDATE public.users SET title = 'Plantedtitle \(title)'\(key) WHERE email IN (\(list))"
        await world.application.perform(Write(kind: changingKeys ? .changeKey : .bulk, sql: sql))
    }

    private func orphan(_ insert: Write, _ move: Write) async throws {
        let ways = world.ways(.api)
        world.relay.hold(ways, .down)
        await world.application.perform(insert)
        await wait(atMost: .seconds(1)) { world.agents.map(world.journal.open).reduce(0, +) >= 4 }
        for agent in world.agents { await world.fleet.kill(agent) }
        world.relay.release(ways, .down)
        await world.application.perform(move)
        for agent in world.agents { try await world.fleet.start(agent) }
    }

    private func wait(atMost limit: Duration, _ condition: () -> Bool) async {
        let deadline = ContinuousClock.now + limit
        while !condition(), ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(5)) }
    }

    // MARK: The database

    private func strikeDatabase(_ strike: Strike) async throws {
        switch strike {
        case .restart(let mode): try await world.server.restart(mode: mode)
        case .endBackends(let times, let distance):
            for _ in 0..<times {
                await endBackends()
                try await Task.sleep(for: distance)
            }
        case .exhaust(let span):
            let crowd = Crowd(port: world.server.port ?? 0)
            defer { crowd.leave() }
            crowd.fill(80)
            let end = ContinuousClock.now + span
            while ContinuousClock.now < end {
                await endBackends()
                crowd.fill(20)
                try await Task.sleep(for: .milliseconds(500))
            }
        default: return
        }
    }

    /// Ends every connection of the agents'. Where the server is down, there are none.
    func endBackends() async {
        try? await world.application.run(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name LIKE 'subscriber-sync%'
            """)
    }

    // MARK: The network

    private func strikeNetwork(_ strike: Strike) async throws {
        switch strike {
        case .hold(let agent, let goal, let direction, let span):
            let way = world.ways(goal, of: [agent])
            world.relay.hold(way, direction)
            try await Task.sleep(for: span)
            world.relay.release(way, direction)
        case .lose(let agent, let goal): world.relay.lose(world.ways(goal, of: [agent]))
        case .reset(let agent, let goal): world.relay.reset(world.ways(goal, of: [agent]))
        case .refuse(let agent, let goal, let span):
            let way = world.ways(goal, of: [agent])
            world.relay.refuse(way)
            world.relay.reset(way)
            try await Task.sleep(for: span)
            world.relay.admit(way)
        default: return
        }
    }
}

/// Idle connections that nobody needs, as an application with too large a pool has them.
final class Crowd {
    private let port: Int
    private var open: [Int32] = []

    init(port: Int) { self.port = port }

    /// Opens connections; the server refuses those it has no room for.
    func fill(_ count: Int) {
        let names = ["user", "postgres", "database", "postgres", "application_name", "crowd", ""]
        let body: [UInt8] = [0, 3, 0, 0] + names.flatMap { (name: String) -> [UInt8] in Array(name.utf8) + [0] }
        let length = UInt32(body.count + 4)
        let head: [UInt8] = (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
        for _ in 0..<count {
            guard let connection = Sockets.connect(to: port) else { return }
            _ = Sockets.write(head + body, to: connection)
            open.append(connection)
        }
    }

    func leave() {
        for connection in open { close(connection) }
        open = []
    }
}

/// Tells what happens while it happens, where that was asked for.
struct Trace: Sendable {
    let isOn: Bool
    let start = ContinuousClock.now

    func note(_ text: @autoclosure () -> String) {
        guard isOn else { return }
        let seconds = String(format: "%7.2f", (ContinuousClock.now - start).seconds)
        FileHandle.standardError.write(Data("\(seconds) \(text())\n".utf8))
    }
}
