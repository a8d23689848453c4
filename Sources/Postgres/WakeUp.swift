import CLibPQ
import Glibc

/// Wakes a thread that waits for a socket; any thread may pull it, any number of times.
///
/// An eventfd, because `poll` waits for it and for the socket at once.
final class WakeUp: Sendable {
    private let descriptor: Int32

    init() throws(PostgresError) {
        descriptor = wake_up_descriptor()
        guard descriptor >= 0 else {
            throw PostgresError(
                .resourcesExhausted, "The operating system gave no descriptor for a database connection.",
                hint: "Raise the limit of open files of this process.")
        }
    }

    deinit { close(descriptor) }

    /// Wakes whoever waits, or will wait next.
    func signal() {
        var one: UInt64 = 1
        // Fails only if the counter is full, and then the thread is woken anyway.
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// What ended a wait. Neither: the deadline passed.
    struct Awakening {
        var isSocketReady = false
        var isSignalled = false
    }

    /// What of a socket is waited for.
    struct Interest: OptionSet {
        let rawValue: Int16
        static let reading = Interest(rawValue: Int16(POLLIN))
        static let writing = Interest(rawValue: Int16(POLLOUT))
    }

    /// Waits until the socket is ready (or broken, which reading it will tell), or a signal came, which it
    /// takes down, or the deadline passed.
    ///
    /// - Parameter socket: -1 waits for the signal only.
    func wait(for interest: Interest, of socket: Int32, until deadline: Deadline) -> Awakening {
        var watched = [
            pollfd(fd: socket, events: interest.rawValue, revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        // Interrupted by a Unix signal: the deadline is a moment, so waiting again loses nothing.
        while poll(&watched, 2, deadline.remainingMilliseconds) < 0, errno == EINTR {}
        let awakening = Awakening(isSocketReady: watched[0].revents != 0, isSignalled: watched[1].revents != 0)
        if awakening.isSignalled { takeDown() }
        return awakening
    }

    private func takeDown() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }
}
