import SyncStore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension AgentIdentity {
    /// Host, process id and a random part: no two agents of all times are alike.
    static func ofThisProcess() -> AgentIdentity {
        let host = Host.name
        let pid = Int(getpid())
        let tail = String(UInt32.random(in: .min ... .max), radix: 16)
        return AgentIdentity(id: "\(host)-\(pid)-\(tail)", host: host, pid: pid, version: SubscriberSync.version)
    }
}

/// This machine and its user, as the log names them.
enum Host {
    static var name: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The login of who runs the command, or the number where it has no name.
    static var user: String {
        guard let entry = getpwuid(getuid()), let name = entry.pointee.pw_name else { return String(getuid()) }
        return String(cString: name)
    }
}
