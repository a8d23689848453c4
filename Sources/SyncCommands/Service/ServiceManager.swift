#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The service manager that started us, told how we are by sd_notify(3): a datagram to a Unix socket that the
/// environment names. Without one there is nobody to tell.
struct ServiceManager: Sendable {
    /// What it is told; it understands no other words.
    enum Word: Sendable, Hashable {
        case ready
        case stopping
        /// Still alive; where it is not said in time, systemd ends and restarts us.
        case watchdog
        /// One line for people, as `systemctl status` shows it.
        case status(String)

        var line: String {
            switch self {
            case .ready: "READY=1"
            case .stopping: "STOPPING=1"
            case .watchdog: "WATCHDOG=1"
            case .status(let text): "STATUS=\(Table.printable(text))"
            }
        }
    }

    private let socketPath: String
    /// How long it waits for the watchdog's word; `nil`: it doesn't.
    let patience: Duration?

    /// Of the process that runs.
    static var ofThisProcess: ServiceManager? { ServiceManager(SettingsLoader.ofThisProcess.environment) }

    /// - Parameters:
    ///   - environment: the process's variables.
    ///   - pid: ours, to whom the watchdog must be meant.
    init?(_ environment: [String: String], pid: Int32 = getpid()) {
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@") else { return nil }
        socketPath = path
        let isForUs = environment["WATCHDOG_PID"].map { $0 == String(pid) } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        patience = isForUs && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    /// Tells it. A manager that doesn't listen is no reason to stop, or to wait.
    func tell(_ words: [Word]) {
        guard !words.isEmpty, var address = sockaddr_un(path: socketPath) else { return }
        let descriptor = socket(AF_UNIX, ServiceManager.kind, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let message = Array(words.map(\.line).joined(separator: "\n").utf8)
        let length = socklen_t(MemoryLayout<sa_family_t>.size + socketPath.utf8.count)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0, length)
            }
        }
    }

    #if canImport(Glibc)
        private static let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    #else
        private static let kind = SOCK_DGRAM | SOCK_CLOEXEC
    #endif
}

extension sockaddr_un {
    /// A path, or, where it begins with `@`, a name in the abstract space, which a zero stands before.
    ///
    /// - Returns: `nil` where it is longer than an address has room for.
    fileprivate init?(path: String) {
        self.init()
        sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let isAbstract = bytes.first == UInt8(ascii: "@")
        let fits = withUnsafeMutableBytes(of: &sun_path) { room in
            guard bytes.count < room.count else { return false }
            room.copyBytes(from: isAbstract ? [0] + bytes.dropFirst() : bytes)
            return true
        }
        guard fits else { return nil }
    }
}
