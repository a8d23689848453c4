/// How to reach one database, and how long to wait for it. It prints redacted: the DSN may hold a password.
public struct ConnectionSettings: Sendable {
    /// What libpq calls a connection string: a URI or `keyword=value` pairs. What it leaves open comes
    /// from the `PG*` variables, the service file and the password file, as libpq has them. Empty: only those.
    public var dsn: String
    /// What `pg_stat_activity` shows for us, where neither the DSN nor `PGAPPNAME` says another name.
    public var applicationName: String
    /// How long connecting may take, all hosts of the DSN together; `connect_timeout` in the DSN wins.
    /// The system's look-up of a host name can't be cut short and comes on top.
    public var connectTimeout: Duration = .seconds(10)
    /// When the server ends a statement by itself; zero: never. We give it `answerGrace` longer, and then
    /// take the connection for dead.
    public var statementTimeout: Duration = .seconds(30)
    /// How long a statement waits for a lock; zero: as long as it may run.
    public var lockTimeout: Duration = .seconds(10)
    /// When the server ends a connection that idles inside a transaction, as one of a stalled process does.
    public var idleInTransactionTimeout: Duration = .seconds(30)
    /// How long data may stay unacknowledged before the kernel gives a TCP connection up;
    /// `tcp_user_timeout` in the DSN wins.
    public var tcpUserTimeout: Duration = .seconds(20)
    /// How much longer than `statementTimeout` we wait for the server's word that it ended a statement, and
    /// how long for an answer after cancelling one.
    public var answerGrace: Duration = .seconds(5)

    public init(dsn: String, applicationName: String) {
        self.dsn = dsn
        self.applicationName = applicationName
    }
}

extension ConnectionSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "ConnectionSettings(redacted)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension ConnectionSettings {
    /// How long to wait for statements that the server was given together, beginning now.
    func patience(statements: Int = 1) -> Patience {
        guard statementTimeout > .zero else {
            return Patience(deadline: .never, grace: answerGrace, timeoutPasses: .never)
        }
        return Patience(
            deadline: .after(statementTimeout * statements + answerGrace), grace: answerGrace,
            timeoutPasses: .after(statementTimeout))
    }

    /// What a connection of our own is told before anything else, in one message.
    var sessionSetUp: String { parameters.map { "SET \($0)" }.joined(separator: ";\n") }

    /// What begins each transaction where the session is not ours alone, in one message: the settings end
    /// with the transaction, so whoever is lent the session next finds nothing of them.
    var transactionSetUp: String {
        (["BEGIN"] + parameters.map { "SET LOCAL \($0)" }).joined(separator: ";\n")
    }

    /// The server's parameters that our statements rely on, whatever role, database or others have set.
    ///
    /// `row_security = off` makes a policy that would hide rows an error. The search path holds nothing that
    /// somebody else can create objects in; temporary objects come last, so that they hide nothing. Compiling
    /// a wide statement can take a hundred times as long as running it for a few rows, so `jit = off`.
    private var parameters: [String] {
        [
            "statement_timeout = \(statementTimeout.milliseconds)",
            "lock_timeout = \(lockTimeout.milliseconds)",
            "idle_in_transaction_session_timeout = \(idleInTransactionTimeout.milliseconds)",
            "row_security = off",
            "jit = off",
            "client_encoding = 'UTF8'",
            "client_min_messages = warning",
            "TimeZone = 'UTC'",
            "DateStyle = 'ISO'",
            "standard_conforming_strings = on",
            "search_path = pg_catalog, pg_temp",
        ]
    }
}
