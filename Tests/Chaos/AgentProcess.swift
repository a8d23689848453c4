import Foundation
import Glibc
import Synchronization

/// One process of the product, started by the system's own call: it inherits no descriptor of ours.
final class AgentProcess: Sendable {
    let pid: pid_t
    private let status = Mutex<Int32?>(nil)
    /// Ends the process when ours is gone, however it ended: it reads from a pipe whose other end only we hold.
    private let watchdog: (pid: pid_t, pipe: Int32)

    /// - Parameter output: the files that get what it prints on stdout and stderr; they grow.
    static func start(
        _ program: String, _ arguments: [String], environment: [String: String], output: (out: String, err: String)
    ) throws -> AgentProcess {
        let pid = try spawn([program] + arguments, environment, input: nil, output)
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ChaosError("There is no pipe for a watchdog.") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let script = "trap '' INT TERM HUP; read -r nothing; kill -KILL \(pid) 2> /dev/null"
        let watchdog = try spawn(
            ["/bin/sh", "-c", script], ["PATH": "/usr/bin:/bin"], input: ends[0], (out: "/dev/null", err: "/dev/null"))
        return AgentProcess(pid: pid, watchdog: (watchdog, ends[1]))
    }

    /// Runs it to its end.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String], output: (out: String, err: String)
    ) async throws -> Int32 {
        try await start(program, arguments, environment: environment, output: output).exit()
    }

    private init(pid: pid_t, watchdog: (pid: pid_t, pipe: Int32)) {
        self.pid = pid
        self.watchdog = watchdog
        Thread.detachNewThread { self.wait() }
    }

    /// The exit status, or 128 and the number of the signal that ended it; `nil` while it runs.
    var exitStatus: Int32? { status.withLock { $0 } }

    func send(_ signal: Int32) {
        // Under the lock that the waiting thread takes, so that no later process of that number is meant.
        status.withLock { if $0 == nil { _ = kill(pid, signal) } }
    }

    /// Waits for its end.
    func exit() async -> Int32 {
        while true {
            if let exitStatus { return exitStatus }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private func wait() {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        kill(watchdog.pid, SIGKILL)
        var raw: Int32 = 0
        while waitpid(watchdog.pid, &raw, 0) < 0, errno == EINTR {}
        close(watchdog.pipe)
        status.withLock { status in
            while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
            status = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f)
        }
    }

    private static func spawn(
        _ command: [String], _ environment: [String: String], input: Int32?, _ output: (out: String, err: String)
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output.out, O_WRONLY | O_APPEND | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, output.err, O_WRONLY | O_APPEND | O_CREAT, 0o600)
        for descriptor in Int32(3)..<1024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        let arguments = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var process = pid_t()
        let result = posix_spawn(&process, command[0], &actions, nil, arguments, variables)
        guard result == 0 else { throw ChaosError("\(command[0]) could not be started (errno \(result)).") }
        return process
    }
}
