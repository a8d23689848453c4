import Postgres

/// Why something could not be done with the database: a sentence, and what to do about it. Never a value.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    /// What kind of thing went wrong; commands make their exit codes of it.
    public enum Code: Sendable, Hashable {
        /// The settings don't fit the database: a table, column or key. Nothing was changed.
        case mismatch
        /// Our schema is missing, older or newer than this program.
        case schema
        /// The database could not be asked, or refused.
        case database
        /// There is no such user.
        case noSuchUser
    }

    public let code: Code
    public let message: String
    public let hint: String?
    /// Whether asking again later may help without anybody's doing.
    public let isTransient: Bool
    /// Whether the source table may be other than it was when its statements were made: then it is worth
    /// looking at it again.
    public let mayBeSource: Bool
    /// Whether another did the same at the same time and was first.
    public let isOvertaken: Bool

    public init(
        _ code: Code, _ message: String, hint: String? = nil, isTransient: Bool = false, mayBeSource: Bool = false,
        isOvertaken: Bool = false
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.isTransient = isTransient
        self.mayBeSource = mayBeSource
        self.isOvertaken = isOvertaken
    }

    /// A failure of the database itself; undefined tables of ours mean that the schema is missing.
    public init(_ error: PostgresError) {
        let isOurs = error.message.contains("subscriber_sync")
        if isOurs, ["42P01", "3F000", "42883"].contains(error.sqlState) {
            self.init(
                .schema, "The schema subscriber_sync is missing or incomplete in this database.",
                hint: "Run `subscriber-sync migrate` first.")
        } else {
            self.init(
                .database, error.message, hint: error.hint,
                isTransient: error.isConnectionLoss
                    || StoreError.passing.contains(String(error.sqlState?.prefix(2) ?? "")),
                mayBeSource: StoreError.aboutObjects.contains(String(error.sqlState?.prefix(2) ?? "")))
        }
    }

    /// A statement that fails on the source's rows though the mapping fits the table: nobody can be pushed from it.
    public init(failingOn source: SourceTable, _ failure: StoreError) {
        self.init(
            .mismatch, "Users of \(source.name) can't be read: \(failure.message)",
            hint: "Look at source.where and at the mapped columns: a condition or a view that fails for one row stops "
                + "the reading of all.")
    }

    /// SQLSTATE classes of a table, column, type or right that isn't as it was, or of a row that can't be read: syntax
    /// and access, invalid schema, data that can't be cast, a plan that has to change, a subquery with too many rows,
    /// functions that fail.
    private static let aboutObjects: Set<String> = ["42", "3F", "22", "0A", "21", "38", "39", "P0"]

    /// SQLSTATE classes of things that pass: connection, resources, operator intervention, rollback.
    private static let passing: Set<String> = ["08", "40", "53", "55", "57"]

    public var description: String { message }
}
