import Postgres
import SyncCore

/// How the mapping that agents send by differs from the one that everybody was told by.
public struct MappingChange: Sendable, Hashable {
    /// One setting that differs.
    public struct Difference: Sendable, Hashable {
        /// Whether it is set now, was set, or is set to something else.
        public enum Kind: String, Sendable, CaseIterable {
            case added, removed, changed
        }

        /// Its path, as in the settings file.
        public let setting: String
        public let kind: Kind
        /// What it was and is, as far as that is shown: names of columns and tables, and choices.
        public let before: String?
        public let after: String?
    }

    public let differences: [Difference]
    /// Since when; `nil`: nothing differs.
    public let since: String?
    /// Living agents that send by another mapping than the one that is used, the first of them.
    public let strays: [String]

    public init(differences: [Difference] = [], since: String? = nil, strays: [String] = []) {
        self.differences = differences
        self.since = since
        self.strays = strays
    }

    /// Reads what is written down.
    public static func read(in session: Session) async throws(StoreError) -> MappingChange {
        do {
            let rows = try await session.query(differences)
            return MappingChange(
                differences: rows.map(\.0), since: rows.first?.1, strays: try await session.query(strays))
        } catch {
            throw StoreError(error)
        }
    }
}

/// What an operator's answer to a changed mapping came to.
public enum MappingAnswer: Sendable, Hashable {
    /// Everybody counts as told by the mapping that is used now.
    case accepted
    /// Nothing differed.
    case needless
    /// Living agents send by another mapping, so nobody can say by which everybody will have been told.
    case mixed
}

extension Store {
    /// Writes down by which mapping this agent sends, after its heartbeat.
    ///
    /// The agent that was started last decides what counts as used; while it lives, one of before that sends by another
    /// mapping changes nothing here, and doesn't sweep.
    ///
    /// - Returns: what differs from what everybody was told by, where this was news; `nil`: it wasn't.
    public func announce(_ outline: MappingOutline, by identity: AgentIdentity) async throws(StoreError)
        -> MappingChange?
    {
        let parameters: [Parameter] = [
            .text(identity.id), .text(outline.digest), .text(source.mappingMarkDigits),
            .textArray(outline.items.map(\.name)), .textArray(outline.items.map(\.shown)),
            .textArray(outline.items.map(\.digest)),
        ]
        guard try await query(Store.announceMapping, parameters).first == true else { return nil }
        let change = try await MappingChange.read(in: session)
        _ = try await query(Store.logMapping, [.text(change.summary), .text(agent)])
        return change
    }

    /// Whether the agents send by the same mapping as this program's settings say.
    public func isUsed(_ outline: MappingOutline) async throws(StoreError) -> Bool {
        try await query(Store.isMappingUsed, [.text(outline.digest)]).first ?? true
    }

    static let isMappingUsed = Statement<Bool>(
        "is_mapping_used", "SELECT m.digest = $1 FROM subscriber_sync.mapping m WHERE m.role = 'used'"
    ) { row throws(PostgresError) in try row.boolean(0) }

    /// Whoever was told by the first mapping was told by it, whatever came before: nothing is known of that. A sweep
    /// writes down what rows look like under the new one. The two rows are written in one order, and briefly.
    static let announceMapping = Statement<Bool>(
        "announce_mapping",
        """
        WITH before AS MATERIALIZED (SELECT m.digest, m.mark FROM subscriber_sync.mapping m WHERE m.role = 'used'),
        outdone AS MATERIALIZED (
            SELECT FROM subscriber_sync.agent a, subscriber_sync.agent mine
            WHERE mine.id = $1 AND a.mapping <> $2::text AND a.seen_at > now() - interval '45 seconds'
                AND (a.started_at, a.id) > (mine.started_at, mine.id)
            LIMIT 1
        ),
        news AS MATERIALIZED (
            SELECT $2::text AS digest, $3::text AS mark, $4::text[] AS names, $5::text[] AS shown, $6::text[] AS digests
            WHERE NOT EXISTS (SELECT FROM outdone) AND NOT EXISTS (SELECT FROM before b WHERE b.digest = $2::text)
        ),
        told AS (
            INSERT INTO subscriber_sync.mapping (role, digest, mark, names, shown, digests)
            SELECT 'told', n.digest, n.mark, n.names, n.shown, n.digests FROM news n
            WHERE NOT EXISTS (SELECT FROM before)
            ON CONFLICT (role) DO NOTHING
        ),
        used AS (
            INSERT INTO subscriber_sync.mapping AS m (role, digest, mark, names, shown, digests)
            SELECT 'used', n.digest, n.mark, n.names, n.shown, n.digests FROM news n
            ON CONFLICT (role) DO UPDATE SET
                digest = excluded.digest, mark = excluded.mark, names = excluded.names, shown = excluded.shown,
                digests = excluded.digests,
                since = CASE WHEN m.digest = (SELECT t.digest FROM subscriber_sync.mapping t WHERE t.role = 'told')
                    THEN now() ELSE m.since END
            RETURNING m.mark
        ),
        asked AS (
            INSERT INTO subscriber_sync.sweep_request (reason)
            SELECT 'mapping_changed' FROM before b, used u WHERE b.mark <> u.mark
        )
        SELECT true FROM before, used
        """
    ) { row throws(PostgresError) in try row.boolean(0) }

    static let logMapping = Statement<Void>(
        "log_mapping",
        "INSERT INTO subscriber_sync.log (outcome, error, agent) VALUES ('mapping_changed', $1, $2)")
}

extension FleetControl {
    /// Has everybody count as told by the mapping that is used: because they all are being resynced, or because an
    /// operator leaves them as they are until their rows change.
    public func acceptMapping() async throws(StoreError) -> MappingAnswer {
        do {
            guard let isMixed = try await session.query(FleetControl.acceptMapping, [.text(operatorName)]).first else {
                return .needless
            }
            return isMixed ? .mixed : .accepted
        } catch {
            throw StoreError(error)
        }
    }

    /// A row where something differs: whether living agents send by another mapping, and so nothing was changed.
    static let acceptMapping = Statement<Bool>(
        "accept_mapping",
        """
        WITH used AS MATERIALIZED (
            SELECT u.*, EXISTS (
                SELECT FROM subscriber_sync.agent a
                WHERE a.mapping <> u.digest AND a.seen_at > now() - interval '45 seconds') AS is_mixed
            FROM subscriber_sync.mapping u JOIN subscriber_sync.mapping t ON t.role = 'told' AND t.digest <> u.digest
            WHERE u.role = 'used'
        ),
        told AS (
            UPDATE subscriber_sync.mapping t SET digest = u.digest, mark = u.mark, names = u.names, shown = u.shown,
                digests = u.digests, since = now()
            FROM used u WHERE t.role = 'told' AND NOT u.is_mixed
            RETURNING t.role
        ),
        logged AS (
            INSERT INTO subscriber_sync.log (outcome, agent) SELECT 'mapping_accepted', $1::text FROM told
        )
        SELECT u.is_mixed FROM used u
        """
    ) { row throws(PostgresError) in try row.boolean(0) }
}

extension MappingChange {
    /// Fields come in the order in which they are listed everywhere.
    static let differences = Statement<(Difference, String?)>(
        "mapping_differences",
        """
        SELECT c.setting, c.change, c.before, c.after, c.since::text FROM subscriber_sync.mapping_change c
        LEFT JOIN subscriber_sync.mapping u ON u.role = 'used'
        LEFT JOIN subscriber_sync.mapping t ON t.role = 'told'
        ORDER BY coalesce(array_position(u.names, c.setting), array_position(t.names, c.setting)), c.setting
        """
    ) { row throws(PostgresError) in
        let kind = Difference.Kind(rawValue: try row.text(1)) ?? .changed
        return (
            Difference(
                setting: try row.text(0), kind: kind, before: try row.optionalText(2), after: try row.optionalText(3)),
            try row.optionalText(4)
        )
    }

    static let strays = Statement<String>(
        "stray_agents",
        """
        SELECT a.id FROM subscriber_sync.agent a, subscriber_sync.mapping m
        WHERE m.role = 'used' AND a.mapping <> m.digest AND a.seen_at > now() - interval '45 seconds'
        ORDER BY a.id LIMIT 5
        """
    ) { row throws(PostgresError) in try row.text(0) }
}

extension MappingChange {
    /// What differs, in one line; for the log.
    public var summary: String {
        differences.isEmpty
            ? "It is again the one that everybody was told by." : differences.map(\.sentence).joined(separator: "; ")
    }
}

extension MappingChange.Difference {
    /// What differs, without a verb that would have to know how the list goes on.
    public var sentence: String {
        guard setting.hasPrefix(MappingChange.fields) else { return "\(setting) \(text)" }
        return "\(setting.dropFirst(MappingChange.fields.count)) \(fieldText)"
    }

    private var fieldText: String {
        switch kind {
        case .added: "is newly mapped" + (after.map { ", to \($0)" } ?? "")
        case .removed: "is no longer mapped" + (before.map { ", it was to \($0)" } ?? "")
        case .changed: "is mapped to \(after ?? "an expression") instead of \(before ?? "an expression")"
        }
    }

    private var text: String {
        switch kind {
        case .added: "is set" + (after.map { " to \($0)" } ?? "")
        case .removed: "is no longer set" + (before.map { ", it was \($0)" } ?? "")
        case .changed:
            switch (before, after) {
            case (.some(let before), .some(let after)): "is \(after) instead of \(before)"
            case (nil, _), (_, nil): "is another"
            }
        }
    }
}

extension MappingChange {
    fileprivate static let fields = "source.fields."
}
