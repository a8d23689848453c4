import Foundation
import Synchronization

/// Every call that the agents made, as they see it: from the moment a request is whole on the wire until the
/// agent has an answer, has given up, or is gone.
final class CallJournal: Sendable {
    typealias Number = Int

    struct Call: Sendable {
        let agent: Int
        let process: Int32
        let reference: String
        let began: Date
        var ended: Date?
    }

    /// Two calls for one reference at once.
    struct Overlap: Sendable {
        let older: Call
        let newer: Call

        /// When the second began.
        var at: Date { newer.began }
    }

    /// When a process couldn't run.
    struct Suspension: Sendable {
        let process: Int32
        let from: Date
        var to: Date?
    }

    private struct State {
        var calls: [Call] = []
        var open: [String: Set<Number>] = [:]
        var openByAgent: [Int: Int] = [:]
        var overlaps: [Overlap] = []
        var processes: [Int: Int32] = [:]
        var suspensions: [Suspension] = []
    }

    private let state = Mutex(State())

    var overlaps: [Overlap] { state.withLock(\.overlaps) }
    var suspensions: [Suspension] { state.withLock(\.suspensions) }
    var count: Int { state.withLock { $0.calls.count } }

    func calls(for reference: String) -> [Call] { state.withLock { $0.calls.filter { $0.reference == reference } } }

    /// How many calls this agent waits for.
    func open(by agent: Int) -> Int { state.withLock { $0.openByAgent[agent] ?? 0 } }

    /// About whom.
    func openReferences(by agent: Int) -> [String] {
        state.withLock { state in
            state.open.filter { $0.value.contains { state.calls[$0].agent == agent } }.keys.sorted()
        }
    }

    func began(by agent: Int, _ reference: String) -> Number {
        state.withLock { state in
            let call = Call(agent: agent, process: state.processes[agent] ?? 0, reference: reference, began: Date())
            let number = state.calls.count
            state.calls.append(call)
            for other in state.open[reference] ?? [] {
                state.overlaps.append(Overlap(older: state.calls[other], newer: call))
            }
            state.open[reference, default: []].insert(number)
            state.openByAgent[agent, default: 0] += 1
            return number
        }
    }

    func ended(_ number: Number) {
        state.withLock { state in
            state.calls[number].ended = Date()
            let call = state.calls[number]
            state.open[call.reference]?.remove(number)
            if state.open[call.reference]?.isEmpty == true { state.open[call.reference] = nil }
            state.openByAgent[call.agent, default: 1] -= 1
        }
    }

    // MARK: What happens to the processes

    func started(_ process: Int32, as agent: Int) { state.withLock { $0.processes[agent] = process } }

    func suspended(_ process: Int32) {
        state.withLock { $0.suspensions.append(Suspension(process: process, from: Date())) }
    }

    func resumed(_ process: Int32) {
        state.withLock { state in
            for index in state.suspensions.indices where state.suspensions[index].process == process {
                if state.suspensions[index].to == nil { state.suspensions[index].to = Date() }
            }
        }
    }
}
