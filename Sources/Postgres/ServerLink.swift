import CLibPQ

/// The way to the server, as it is known since the connection was opened.
public struct ServerLink: Sendable, Hashable {
    /// Such as 150018 for 15.18.
    public var serverVersion: Int
    /// Whether a pooler is in between.
    public var isPooled: Bool
    /// Whether it is TLS that leaves this machine; what is behind a pooler can't be seen from here.
    public var isEncrypted: Bool
    /// A Unix socket or a loopback address.
    public var isLocal: Bool

    public init(serverVersion: Int, isPooled: Bool, isEncrypted: Bool, isLocal: Bool) {
        self.serverVersion = serverVersion
        self.isPooled = isPooled
        self.isEncrypted = isEncrypted
        self.isLocal = isLocal
    }
}

extension Session {
    /// How the server is reached; connects if it must.
    public func link() async throws(PostgresError) -> ServerLink {
        let connection = try await connection()
        guard let way = await connection.way else { throw .closed }
        return ServerLink(
            serverVersion: connection.serverVersion, isPooled: connection.isPooled, isEncrypted: way.isEncrypted,
            isLocal: way.isLocal)
    }
}

extension RawConnection {
    /// What libpq knows of the way to the server.
    struct Way: Sendable {
        let isEncrypted: Bool
        let isLocal: Bool
    }

    /// The address is the one that libpq chose; for a Unix socket there is none.
    var way: Way {
        let address = PQhostaddr(pointer).map { String(cString: $0) } ?? ""
        return Way(
            isEncrypted: PQsslInUse(pointer) == 1,
            isLocal: address.isEmpty || address.hasPrefix("127.") || address == "::1")
    }
}
