import Foundation
import Glibc

/// Runs a program to its end, however long what it has started lives on.
///
/// `Foundation.Process` takes a program for running while anything holds a descriptor that it hands down,
/// and a database server that `pg_ctl` starts does. So this one hands nothing down and asks the kernel.
/// Nor does it hand down the calling thread's signal mask: those of the concurrency pool block nearly every signal,
/// and what is started with such a mask can't be ended but by SIGKILL, unless it sets its own as PostgreSQL does.
enum PostgresServerProcess {
    /// - Parameter output: the file that gets what the program prints.
    /// - Returns: the exit status; 128 and more for a program that a signal ended.
    static func run(_ command: [String], output: String) async throws -> Int32 {
        let process = try spawn(command, output: output)
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: wait(for: process)) }
        }
    }

    private static func spawn(_ command: [String], output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_APPEND, 0)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        for descriptor in 3..<highestDescriptor() + 1 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var nothingBlocked = sigset_t()
        sigemptyset(&nothingBlocked)
        posix_spawnattr_setsigmask(&attributes, &nothingBlocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let arguments = command.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let result = posix_spawnp(&process, command[0], &actions, &attributes, arguments + [nil], environ)
        guard result == 0 else { throw TestSupportError("\(command[0]) could not be started (errno \(result)).") }
        return process
    }

    private static func highestDescriptor() -> Int32 {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return max(3, open.compactMap { Int32($0) }.max() ?? 255)
    }

    private static func wait(for process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}
