import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The first SIGTERM or SIGINT is a request; who sends a second one doesn't want to wait.
enum SecondSignal {
    /// Watches from now on. What is in flight is taken over by another agent, or at the next start.
    static func exitsAtOnce() {
        Task.detached {
            var count = 0
            for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
                count += 1
                if count == 2 {
                    Terminal.err("subscriber-sync: stopped at once; leases end by themselves\n")
                    exit(Failure.Code.temporary.rawValue)
                }
            }
        }
    }
}
