import Foundation
import Synchronization

/// The network between the agents and their neighbours: one way from each agent to PostgreSQL, and one to the API.
///
/// It can hold what passes in either direction without closing anything, lose connections for good, reset them,
/// and refuse new ones. It always reads what an agent sends, so it knows when a call begins and ends from the
/// agent's point of view (``CallJournal``), whatever becomes of the bytes.
final class Relay: Sendable {
    /// One way: whose, and where to.
    struct Way: Hashable, Sendable {
        enum Goal: String, Hashable, Sendable {
            case database
            case api
        }

        let agent: Int
        let goal: Goal
    }

    /// How a way treats what passes. Several may hold it at once; it is free when the last lets go.
    struct Mood: Sendable, Hashable {
        /// Who holds what comes from the agent; its closing too.
        var upHolds = 0
        /// Who holds what goes to the agent; the neighbour's closing too.
        var downHolds = 0
        /// Who has new connections reset.
        var refusals = 0

        var holdsUp: Bool { upHolds > 0 }
        var holdsDown: Bool { downHolds > 0 }
        var refuses: Bool { refusals > 0 }
    }

    /// What the thread of the relay is to do.
    struct Orders: Sendable {
        var moods: [Way: Mood] = [:]
        /// Ways whose connections are reset.
        var resets: Set<Way> = []
        /// Ways whose connections become half-open for good: nothing passes, and nothing is closed.
        var losses: Set<Way> = []
        /// What was lost is reset.
        var endsLosses = false
        var isStopped = false
    }

    /// Where each agent connects to instead.
    let ports: [Way: Int]
    private let orders = Mutex(Orders())
    private let stopped = DispatchSemaphore(value: 0)

    /// - Parameter targets: the port on loopback of each goal.
    init(agents: Int, targets: [Way.Goal: Int], journal: CallJournal) throws {
        var listeners: [RelayLoop.Listener] = []
        for (goal, target) in targets {
            for agent in 0..<agents {
                let (descriptor, port) = try Sockets.listen()
                listeners.append(
                    RelayLoop.Listener(
                        way: Way(agent: agent, goal: goal), descriptor: descriptor, port: port, target: target))
            }
        }
        ports = Dictionary(uniqueKeysWithValues: listeners.map { ($0.way, $0.port) })
        let loop = RelayLoop(listeners: listeners, journal: journal)
        Thread.detachNewThread { self.run(loop) }
    }

    private func set(_ ways: [Way], _ change: @Sendable (inout Mood) -> Void) {
        orders.withLock { orders in
            for way in ways { change(&orders.moods[way, default: Mood()]) }
        }
    }

    /// Holds what passes, in one direction or both, until it is released.
    func hold(_ ways: [Way], _ direction: Strike.Direction) {
        set(ways) { mood in
            if direction.isUp { mood.upHolds += 1 }
            if direction.isDown { mood.downHolds += 1 }
        }
    }

    func release(_ ways: [Way], _ direction: Strike.Direction) {
        set(ways) { mood in
            if direction.isUp { mood.upHolds -= 1 }
            if direction.isDown { mood.downHolds -= 1 }
        }
    }

    func refuse(_ ways: [Way]) { set(ways) { $0.refusals += 1 } }

    func admit(_ ways: [Way]) { set(ways) { $0.refusals -= 1 } }

    /// Resets every connection of these ways.
    func reset(_ ways: [Way]) { orders.withLock { $0.resets.formUnion(ways) } }

    /// Leaves the connections of these ways half-open for good. Later ones work.
    func lose(_ ways: [Way]) { orders.withLock { $0.losses.formUnion(ways) } }

    /// Everything passes again, and what was half-open is closed.
    func heal() {
        orders.withLock { orders in
            orders.moods = [:]
            orders.endsLosses = true
        }
    }

    /// Closes everything; returns when that is done.
    func stop() async {
        orders.withLock { $0.isStopped = true }
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                self.stopped.wait()
                continuation.resume()
            }
        }
    }

    private func run(_ loop: RelayLoop) {
        while true {
            let orders = orders.withLock { orders in
                defer { (orders.resets, orders.losses, orders.endsLosses) = ([], [], false) }
                return orders
            }
            if orders.isStopped { break }
            loop.turn(orders)
        }
        loop.closeAll()
        stopped.signal()
    }
}
