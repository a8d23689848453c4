extension PostgresError {
    /// What libpq says of a connection that did not come about, turned into a sentence of ours.
    ///
    /// - Parameter text: libpq's message, with verbosity VERBOSE, so that the server's SQLSTATE is in it.
    init(connectingTo target: String, failedWith text: String) {
        if let refusal = ServerRefusal(text) {
            self = refusal.error(target)
        } else {
            self = UnreachableServer(text).error(target)
        }
    }

    init(connectingTo target: String, took timeout: Duration) {
        self.init(
            .connectionFailed,
            "Could not connect to PostgreSQL at \(target): no answer within \(timeout.milliseconds) ms.",
            hint: "Look whether a firewall drops the connection, and whether the server hangs.")
    }
}

/// The server (or a pooler) was reached and said no.
private struct ServerRefusal {
    let sqlState: String
    let message: String

    /// Looks for `FATAL:  28P01: password authentication failed…`; of several hosts, the last one's.
    init?(_ text: String) {
        let found = text.split(separator: "\n").compactMap(ServerRefusal.parse).last
        guard let found else { return nil }
        (sqlState, message) = found
    }

    /// The severity is translated by the server, the code is not.
    private static func parse(_ line: Substring) -> (String, String)? {
        let parts = line.split(separator: ": ").map { $0.drop { $0 == " " } }
        guard let index = parts.firstIndex(where: isSQLState), index + 1 < parts.count else { return nil }
        return (String(parts[index]), parts[(index + 1)...].joined(separator: ": "))
    }

    /// Every code has a digit; the word FATAL has none.
    private static func isSQLState(_ text: Substring) -> Bool {
        let isDigit = { (character: Character) in ("0"..."9").contains(character) }
        return text.count == 5 && text.contains(where: isDigit)
            && text.allSatisfy { isDigit($0) || ("A"..."Z").contains($0) }
    }

    func error(_ target: String) -> PostgresError {
        let (code, hint) = meaning
        return PostgresError(
            code, "Could not connect to PostgreSQL at \(target): \(message) (SQLSTATE \(sqlState)).",
            sqlState: sqlState, hint: hint)
    }

    private var meaning: (PostgresError.Code, String?) {
        switch sqlState {
        case "28P01":
            (.authenticationFailed, "Check the user and the password, also in PGPASSWORD and the password file.")
        case "28000": (.authenticationFailed, "Check that the role exists and that pg_hba.conf lets it in from here.")
        case "3D000": (.connectionFailed, "Create the database, or correct its name in the connection string.")
        case "42501": (.authenticationFailed, "Grant the role CONNECT on the database.")
        case "53300": (.tooManyConnections, "Raise max_connections or the role's limit, or close other connections.")
        case "08P01":
            (
                .connectionFailed,
                "A pooler refuses settings that it doesn't know: leave out options and PG* variables such as PGOPTIONS "
                    + "and PGGEQO, or name them in its ignore_startup_parameters."
            )
        case "57P03": (.connectionFailed, "The server is starting, stopping or recovering; try again in a moment.")
        default: (.connectionFailed, nil)
        }
    }
}

/// What kept us from the server: found in libpq's untranslated text, which itself is not passed on.
private struct UnreachableServer {
    private struct Cause {
        /// What is searched for.
        let sign: String
        let code: PostgresError.Code
        let reason: String
        let hint: String?

        init(
            _ sign: String, _ reason: String, _ hint: String? = nil, code: PostgresError.Code = .connectionFailed
        ) {
            self.sign = sign
            self.code = code
            self.reason = reason
            self.hint = hint
        }
    }

    private let text: String

    init(_ text: String) { self.text = text }

    func error(_ target: String) -> PostgresError {
        let cause = UnreachableServer.causes.first { text.contains($0.sign) } ?? UnreachableServer.unknown
        return PostgresError(
            cause.code, "Could not connect to PostgreSQL at \(target): \(cause.reason).", hint: cause.hint)
    }

    private static let start = "Start the server, or correct host and port."
    private static let unknown = Cause("", "libpq gave a reason that is not known to be safe to show")

    private static let causes = [
        Cause(
            "no password supplied", "the server asks for a password and none was given",
            "Set PGPASSWORD, a password file, or a password in the connection string.", code: .authenticationFailed),
        Cause(
            "Connection refused", "nobody listens there", start),
        Cause(
            "No such file or directory", "there is no such Unix socket", start),
        Cause(
            "could not translate host name", "the host name is not known",
            "Correct the host, or look at the DNS."),
        Cause(
            "No route to host", "there is no route to the host",
            "Look at the network."),
        Cause(
            "Network is unreachable", "the network is not reachable",
            "Look at the network."),
        Cause(
            "timed out", "the network gave no answer in time",
            "Look whether a firewall drops the connection."),
        Cause(
            "server does not support SSL", "the server does not support TLS",
            "Turn TLS on at the server, or set another sslmode.", code: .authenticationFailed),
        Cause(
            "certificate", "the TLS certificate was not accepted",
            "Check sslrootcert and sslmode, and that the certificate names the host.", code: .authenticationFailed),
        Cause(
            "SSL", "the TLS connection failed",
            "Check sslmode and the server's TLS settings."),
        Cause(
            "authentication", "the server asks for an authentication that libpq refuses",
            "Check the password, channel_binding and require_auth.", code: .authenticationFailed),
        Cause(
            "session is read-only", "no server of the list accepts writes",
            "Check target_session_attrs."),
        Cause(
            "session is not read-only", "no server of the list is read-only",
            "Check target_session_attrs."),
        Cause(
            "server is in hot standby mode", "the server is a standby",
            "Check target_session_attrs."),
        Cause(
            "server is not in hot standby mode", "the server is no standby",
            "Check target_session_attrs."),
        Cause(
            "server closed the connection", "the server closed the connection at once",
            "Look into the server's log; a pooler or proxy may be in between."),
        Cause(
            "Connection reset", "the connection was reset",
            "Look into the server's log."),
        Cause(
            "definition of service", "the service is not defined",
            "Check PGSERVICE and the service file.", code: .invalidSettings),
        Cause(
            "invalid", "an option of the connection has an invalid value",
            "Check the connection string and the PG* variables.", code: .invalidSettings),
    ]
}
