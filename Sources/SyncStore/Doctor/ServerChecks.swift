import Postgres
import SyncCore

// MARK: - The way to the server

extension ServerLink {
    /// Whether the server is one that this program was tried on.
    public var versionCheck: Check {
        let text = "PostgreSQL \(serverVersion / 10_000).\(serverVersion % 10_000)"
        switch serverVersion / 10_000 {
        case ..<14:
            return .fail("version", "\(text) is too old.", hint: "subscriber-sync needs PostgreSQL 14 or newer.")
        case 14...18: return .ok("version", text)
        case _:
            return .warn(
                "version", "\(text) is newer than any that this version was tried on.",
                hint: "PostgreSQL 14 to 18 are; look whether there is a newer subscriber-sync.")
        }
    }

    /// Whether somebody in between could read profiles.
    public var encryptionCheck: Check {
        if isEncrypted { return .ok("tls", "The connection to PostgreSQL is encrypted.") }
        if isLocal { return .ok("tls", "Not encrypted; it doesn't leave this machine.") }
        return .warn(
            "tls", "The connection to PostgreSQL is not encrypted, and it leaves this machine.",
            hint: "Turn TLS on at the server, and ask for it in the connection string.",
            remedy: "DATABASE_URL=…?sslmode=verify-full")
    }

    /// - Parameter listensElsewhere: whether a connection of its own is named to listen on.
    public func poolerCheck(listensElsewhere: Bool) -> Check {
        guard isPooled else { return .ok("pooler", "No pooler is in between.") }
        if listensElsewhere { return .ok("pooler", "A pooler is in between, and notifications come directly.") }
        return .warn(
            "pooler", "A pooler is in between, and through it no notification comes.",
            hint: "Name a direct connection to listen on; until then agents look at capture.poll_interval.",
            remedy: "DATABASE_LISTEN_URL=postgresql://USER@DIRECT_HOST:5432/DATABASE")
    }
}

// MARK: - The server

extension ServerFacts {
    /// Whether it can be written to.
    public var primaryCheck: Check {
        if isStandby {
            return .fail(
                "primary", "This server is a standby, and takes no writes.",
                hint: "Name the primary, or several hosts of which the one that takes writes is chosen.",
                remedy: "DATABASE_URL=postgresql://USER@HOST1,HOST2/DATABASE?target_session_attrs=read-write")
        }
        guard isReadOnly else { return .ok("primary", "The server takes writes.") }
        return .fail(
            "primary", "Transactions are read-only for this role.",
            hint: "Look at default_transaction_read_only of the server, the database and the role.",
            remedy: "ALTER ROLE \(quoteIdentifier(role)) SET default_transaction_read_only = off;")
    }

    public var roleCheck: Check {
        guard isSuperuser else { return .ok("role", "It works as the role \(role), which is no superuser.") }
        return .warn(
            "role", "It works as \(role), a superuser, which may do far more than it needs.",
            hint: "deploy/grants.sql makes a role that reads the mapped columns and writes our schema.")
    }

    /// Leases and due times go by the server's clock alone. `expire_at`, the signature of webhooks and the times in
    /// logs go by ours.
    public var clockCheck: Check {
        let off = max(0, abs(clockAheadSeconds) - clockDoubtSeconds)
        let text =
            "PostgreSQL's clock is \(Self.spoken(off)) \(clockAheadSeconds > 0 ? "ahead of" : "behind") this machine's."
        let hint = "Let both machines keep time by NTP (chrony, systemd-timesyncd), and look which of them is wrong."
        switch off {
        case ..<2: return .ok("clock", "PostgreSQL's clock and this machine's agree.")
        case ..<60: return .warn("clock", text, hint: hint)
        case _: return .fail("clock", text, hint: hint, remedy: "timedatectl set-ntp true")
        }
    }

    /// A transaction that stays open keeps dead rows of our tables, and old notifications, from being cleared away.
    public var transactionCheck: Check {
        guard let age = oldestTransactionSeconds, age >= Self.longTransactionSeconds else {
            return seesOthers
                ? .ok("transactions", "No transaction has been open for long.")
                : .ok("transactions", "No transaction of this role has been open for long; others' aren't shown to it.")
        }
        if oldestTransactionPID == 0 {
            return .warn(
                "transactions", "A prepared transaction has been open for \(Self.spoken(age)).",
                hint: "Find out whose it is in pg_prepared_xacts, then COMMIT PREPARED or ROLLBACK PREPARED it.",
                remedy: "SELECT gid, prepared, owner FROM pg_prepared_xacts;")
        }
        let pid = oldestTransactionPID.map(String.init) ?? "…"
        return .warn(
            "transactions",
            "A transaction has been open for \(Self.spoken(age)) (process \(pid)), so nothing is vacuumed.",
            hint: "Look what it is; end it if nobody needs it.",
            remedy: "SELECT pg_terminate_backend(\(pid));")
    }

    /// Where the queue is full, the application's own commits fail that notify.
    public var notificationQueueCheck: Check {
        let percent = Int((notificationQueueShare * 100).rounded())
        let finding = "The queue of notifications is \(percent) % full."
        let hint =
            "A session that listens is in a long transaction; when the queue is full, NOTIFY fails for everybody."
        let remedy = "SELECT pid, xact_start, state FROM pg_stat_activity ORDER BY xact_start LIMIT 5;"
        switch notificationQueueShare {
        case ..<0.25: return .ok("notification_queue", finding)
        case ..<0.75: return .warn("notification_queue", finding, hint: hint, remedy: remedy)
        case _: return .fail("notification_queue", finding, hint: hint, remedy: remedy)
        }
    }

    /// - Parameter wantsNotifications: whether the settings ask for them.
    public func preparedTransactionsCheck(wantsNotifications: Bool) -> Check {
        guard maxPreparedTransactions > 0, wantsNotifications else {
            return .ok("prepared_transactions", "max_prepared_transactions is \(maxPreparedTransactions).")
        }
        return .warn(
            "prepared_transactions",
            "max_prepared_transactions is \(maxPreparedTransactions), so triggers don't notify: what has notified can't "
                + "be prepared.",
            hint: "Changes are found at capture.poll_interval. Set it to 0 if nobody uses PREPARE TRANSACTION.",
            remedy: "ALTER SYSTEM SET max_prepared_transactions = 0; -- then restart the server")
    }

    static let longTransactionSeconds = 900.0

    /// `90 s`, `12 min`, `3 h`.
    static func spoken(_ seconds: Double) -> String {
        switch seconds {
        case ..<120: "\(Int(seconds.rounded())) s"
        case ..<7200: "\(Int((seconds / 60).rounded())) min"
        case _: "\(Int((seconds / 3600).rounded())) h"
        }
    }
}
