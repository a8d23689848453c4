import CLibPQ

extension RawConnection {
    /// Connects, finds out whose the server's session is, and sets up one that is ours alone.
    ///
    /// libpq looks host names up in here, which is why it belongs on the connection's thread.
    static func open(_ settings: ConnectionSettings, wakeUp: WakeUp) throws(PostgresError) -> RawConnection {
        let target = try settings.validated().description
        let timeout = settings.configuredConnectTimeout ?? settings.connectTimeout
        let deadline = Deadline.after(timeout)
        var connection = try begin(settings, target, wakeUp)
        try connection.negotiate(target, timeout, deadline)
        PQsetnonblocking(connection.pointer, 1)
        PQsetErrorVerbosity(connection.pointer, PQERRORS_DEFAULT)
        connection.cancelHandle = CancelHandle(connection.pointer)
        let patience = Patience(deadline: deadline, grace: settings.answerGrace, timeoutPasses: .never)
        connection.isPooled = try connection.answeringPID(patience) != connection.backendPID
        if !connection.isPooled {
            let setUp = Request(name: "session set-up", text: settings.sessionSetUp, parameters: nil)
            _ = try connection.exchange(setUp, patience)
        }
        return connection
    }

    /// The process of the server that answers now. Where another was named at the beginning, there is a
    /// pooler in between, which may have another one answer next time.
    private mutating func answeringPID(_ patience: Patience) throws(PostgresError) -> Int32 {
        // No name of somebody else's can stand before the one in the catalogue.
        let request = Request(name: "backend", text: "SELECT pg_catalog.pg_backend_pid()", parameters: nil)
        let result = try exchange(request, patience)
        return Int32(clamping: try RowReader(result, row: 0, statement: request.name).integer(0))
    }

    private static func begin(
        _ settings: ConnectionSettings, _ target: String, _ wakeUp: WakeUp
    ) throws(PostgresError) -> RawConnection {
        let options = settings.libpqOptions
        guard let keywords = CStringTable(options.map(\.0)), let values = CStringTable(options.map(\.1)) else {
            throw PostgresError(.invalidSettings, "The application name holds a NUL character.")
        }
        let pointer = keywords.withPointers { keywords in
            values.withPointers { values in PQconnectStartParams(keywords, values, 1) }
        }
        guard let pointer else {
            throw PostgresError(.resourcesExhausted, "There is no memory left for a connection to PostgreSQL.")
        }
        let connection = RawConnection(owning: pointer, wakeUp: wakeUp)
        // Notices would go to stderr; the verbose form of errors tells the SQLSTATE of a refusal.
        PQsetNoticeProcessor(pointer, { _, _ in }, nil)
        PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
        guard PQstatus(pointer) != CONNECTION_BAD else {
            throw PostgresError(connectingTo: target, failedWith: connection.errorText)
        }
        return connection
    }

    /// Does what libpq asks for until the connection stands. The socket may be another after each step.
    private func negotiate(_ target: String, _ timeout: Duration, _ deadline: Deadline) throws(PostgresError) {
        var interest = WakeUp.Interest.writing
        while true {
            if Task.isCancelled { throw .cancelled(nil) }
            let awakening = wakeUp.wait(for: interest, of: PQsocket(pointer), until: deadline)
            guard awakening.isSocketReady || awakening.isSignalled else {
                throw PostgresError(connectingTo: target, took: timeout)
            }
            guard awakening.isSocketReady else { continue }
            switch PQconnectPoll(pointer) {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: interest = .reading
            case PGRES_POLLING_WRITING: interest = .writing
            default: throw PostgresError(connectingTo: target, failedWith: errorText)
            }
        }
    }
}

extension ConnectionSettings {
    /// What libpq gets. A later value wins over an earlier one, and the DSN stands where it overrides what
    /// is only a default of ours.
    fileprivate var libpqOptions: [(String, String)] {
        [
            ("fallback_application_name", applicationName),
            ("keepalives", "1"),
            ("keepalives_idle", "15"),
            ("keepalives_interval", "5"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", String(tcpUserTimeout.milliseconds)),
            ("dbname", dsn),
            ("client_encoding", "UTF8"),
        ]
    }
}
