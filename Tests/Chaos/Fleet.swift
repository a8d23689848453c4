import Foundation
import Glibc

/// The agents: real processes of the product, each with a way of its own to PostgreSQL and to the API.
///
/// Who ends because it found no database is started again, as a supervisor would; who ends otherwise without being
/// told to is a failure.
actor Fleet {
    /// What an agent is meant to be.
    private enum Wish {
        case running
        case down
        case suspended
    }

    private struct Member {
        var process: AgentProcess?
        var wish = Wish.down
        /// A signal of ours may be the reason of its end.
        var isEnding = false
    }

    let program: String
    private let folder: URL
    private let environments: [[String: String]]
    private let journal: CallJournal
    private var members: [Member]
    private var supervisor: Task<Void, Never>?
    /// Ends that nobody asked for.
    private(set) var failures: [String] = []
    private(set) var starts = 0
    private(set) var restartsWithoutDatabase = 0
    /// Processes that got SIGKILL, or were told to stop.
    private(set) var endedByUs: Set<Int32> = []

    /// - Parameter environments: one for each agent.
    init(program: String, folder: URL, environments: [[String: String]], journal: CallJournal) {
        self.program = program
        self.folder = folder
        self.environments = environments
        self.journal = journal
        members = environments.map { _ in Member() }
    }

    /// Where the agents write what they print.
    nonisolated func outputs(of agent: Int) -> (out: String, err: String) {
        (folder.appending(path: "agent-\(agent).out").path, folder.appending(path: "agent-\(agent).err").path)
    }

    func startAll() throws {
        for agent in members.indices { try start(agent) }
        supervisor = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(300))
                await self?.supervise()
            }
        }
    }

    func start(_ agent: Int) throws {
        guard members[agent].process == nil else { return }
        let process = try AgentProcess.start(
            program, ["run"], environment: environments[agent], output: outputs(of: agent))
        journal.started(process.pid, as: agent)
        members[agent] = Member(process: process, wish: .running)
        starts += 1
    }

    /// SIGKILL; returns when it is gone.
    func kill(_ agent: Int) async {
        await end(agent, by: SIGKILL)
    }

    /// SIGTERM; returns when it is gone, which must be soon.
    func terminate(_ agent: Int) async {
        await end(agent, by: SIGTERM)
    }

    private func end(_ agent: Int, by signal: Int32) async {
        guard let process = members[agent].process, !members[agent].isEnding else { return }
        members[agent].isEnding = true
        members[agent].wish = .down
        endedByUs.insert(process.pid)
        process.send(signal)
        journal.resumed(process.pid)
        let watch = Task {
            try await Task.sleep(for: .seconds(60))
            process.send(SIGKILL)
        }
        let status = await process.exit()
        watch.cancel()
        // By the signal itself: one that hadn't come as far as to mind signals, or that was killed.
        if ![0, 69, 75, 128 + signal].contains(status) {
            failures.append("agent \(agent) ended with \(status) after signal \(signal)")
        }
        members[agent].process = nil
        members[agent].isEnding = false
    }

    func suspend(_ agent: Int) {
        guard let process = members[agent].process, members[agent].wish == .running else { return }
        members[agent].wish = .suspended
        journal.suspended(process.pid)
        process.send(SIGSTOP)
    }

    func resume(_ agent: Int) {
        guard let process = members[agent].process, members[agent].wish == .suspended else { return }
        members[agent].wish = .running
        process.send(SIGCONT)
        journal.resumed(process.pid)
    }

    /// Everybody runs.
    func heal() throws {
        for agent in members.indices {
            resume(agent)
            try start(agent)
        }
    }

    /// Tells everybody to stop, and waits for it.
    func stopAll() async {
        supervisor?.cancel()
        for agent in members.indices { resume(agent) }
        await withDiscardingTaskGroup { group in
            for agent in members.indices { group.addTask { await self.terminate(agent) } }
        }
    }

    private func supervise() {
        for agent in members.indices {
            guard let process = members[agent].process, !members[agent].isEnding, let status = process.exitStatus
            else { continue }
            members[agent].process = nil
            if status == 69 || status == 75 {
                restartsWithoutDatabase += 1
            } else {
                failures.append("agent \(agent) ended by itself with \(status)")
            }
            try? start(agent)
        }
    }
}
