import Foundation
import Glibc

/// Stops a server and removes its folder when the test process is gone, however it ended.
///
/// A shell waits for the end of a pipe whose other end only we hold; the kernel closes that when we end.
/// It then ends the one server whose number stands in the folder.
final class PostgresServerWatchdog: Sendable {
    /// The writing end, held until the process ends or `release` is called.
    private let pipe: Int32

    private static let script = """
        trap '' INT TERM HUP
        read -r nothing
        pidfile="$1/$2"
        if [ -s "$pidfile" ]; then
            read -r pid < "$pidfile"
            kill -"$3" "$pid" 2> /dev/null
            tries=0
            while kill -0 "$pid" 2> /dev/null && [ "$tries" -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
        fi
        rm -rf -- "$1"
        """

    /// - Parameters:
    ///   - folder: is removed as a whole.
    ///   - pidFile: the file in there whose first line is the number of the server's process.
    ///   - signal: what ends that process at once.
    init(folder: String, pidFile: String = "data/postmaster.pid", signal: String = "QUIT") throws {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw TestSupportError("There is no pipe for the watchdog.") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let reading = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        pipe = ends[1]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "setsid", "sh", "-c", PostgresServerWatchdog.script, "watchdog", folder, pidFile, signal,
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = reading
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit { close(pipe) }
}
