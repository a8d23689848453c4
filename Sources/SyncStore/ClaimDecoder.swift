import Postgres
import SyncCore

/// Reads a claim from a row, by the one order of columns that every query of claims has.
struct ClaimDecoder: Sendable {
    /// The mapped fields in the order of the columns `field_0…`.
    let columns: [ProfileField]
    /// What the values become.
    let rules: ValueRules
    /// Every field that may be sent.
    private let fields: [ProfileField]

    init(columns: [ProfileField], rules: ValueRules = ValueRules()) {
        self.columns = columns
        self.rules = rules
        fields = rules.sentFields(mapped: columns)
    }

    init(_ mapping: SourceMapping) { self.init(columns: mapping.orderedFields, rules: mapping.values) }

    /// The columns in front of the source's, from the row `alias` of `subscriber`.
    static func columns(_ alias: String) -> String {
        """
        \(alias).user_key, \(alias).lease, \(alias).wanted, \(alias).attempts, \(alias).standing,
            \(alias).reference, \(alias).admitted_at IS NOT NULL AS is_admitted, \(alias).subscriber_id::text AS subscriber_id,
            \(alias).doubted_until IS NOT NULL AS is_doubted,
            ARRAY(SELECT t.key FROM jsonb_each_text(\(alias).told) t) AS told_names,
            ARRAY(SELECT t.value FROM jsonb_each_text(\(alias).told) t) AS told_hashes,
            \(alias).priority = 1 AS is_resync, \(earlier(of: "\(alias).user_key")) AS earlier,
            \(alias).accepted_reference
        """
    }

    /// The references that a user had before.
    ///
    /// - Parameter key: an SQL expression.
    static func earlier(of key: String) -> String {
        "ARRAY(SELECT former.reference FROM subscriber_sync.pair former WHERE former.user_key = \(key))"
    }

    static let columnCount = 14

    /// - Parameter offset: how many columns stand in front of the claim's.
    func claim(_ row: borrowing RowReader, from offset: Int) throws(PostgresError) -> Claim {
        let user = UserKey(try row.text(offset))
        let isAdmitted = try row.boolean(offset + 6)
        return Claim(
            user: user,
            lease: Lease(token: try row.optionalBigint(offset + 1) ?? 0),
            version: try row.bigint(offset + 2),
            attempt: try row.integer(offset + 3),
            standing: Standing(rawValue: try row.text(offset + 4)) ?? .unsynced,
            source: try sourceState(row, from: offset + ClaimDecoder.columnCount, user: user),
            admitted: isAdmitted ? Reference(known: try row.optionalText(offset + 5)) : nil,
            subscriber: try row.optionalText(offset + 7).flatMap(SubscriberID.init),
            told: ToldColumn.told(names: try row.textArray(offset + 9), hashes: try row.textArray(offset + 10)),
            isDoubted: try row.boolean(offset + 8), isResync: try row.boolean(offset + 11),
            earlier: try row.textArray(offset + 12).compactMap { Reference(known: $0) },
            accepted: Reference(known: try row.optionalText(offset + 13)))
    }

    /// `in_scope` is null where the source has no such row.
    private func sourceState(
        _ row: borrowing RowReader, from offset: Int, user: UserKey
    ) throws(PostgresError) -> SourceState {
        guard let inScope = try row.optionalBoolean(offset + 1) else { return .deleted }
        guard inScope else { return .outOfScope }
        guard try row.optionalBoolean(offset + 2 + self.columns.count) == true else { return .withoutProfile }
        var columns: [ProfileField: String?] = [:]
        for (index, field) in self.columns.enumerated() {
            columns[field] = .some(try row.optionalText(offset + 2 + index))
        }
        let profile = Profile(columns: columns, rules: rules)
        return .present(
            Reference(try row.optionalText(offset)), profile, ProfileDigests(of: profile, user: user, fields: fields))
    }
}
