import Postgres

/// One thing that the application does to its table, as SQL that can meet any state of it.
struct Write: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case insert, updateMapped, updateUnmapped, thereAndBack, clear, softDelete, undelete, hardDelete
        case deleteAndReinsert, reinsert, changeKey, changeReference, restoreReference, swapReferences
        case blankReference, takeReference, rolledBack, savepoint, bulk, longOpen, neverInScope
    }

    let kind: Kind
    let sql: String
    /// Whether it holds a transaction open, on a connection beside the others.
    var isSlow: Bool { kind == .longOpen }
}

/// One row of the application's table, as far as writes name columns.
struct UserRow: Sendable {
    var email: String
    var firstName: String?
    var title: String?
    var timeZone: String?

    /// The columns behind the key, and their values.
    static let columns = "email, first_name, title, time_zone"

    var values: String { [email, firstName, title, timeZone].map(literal).joined(separator: ", ") }
}

/// A text, or NULL, as SQL writes it.
func literal(_ text: String?) -> String { text.map(quoteLiteral) ?? "NULL" }
