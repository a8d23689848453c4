import Postgres
import SyncCore

/// Which columns of which table are synced: the settings under `source`, checked for shape only.
public struct SourceMapping: Sendable, Hashable {
    public let table: QualifiedName
    /// Unique and not null.
    public let key: String
    /// The column whose value the application passes to SignalWire as `reference`.
    public let reference: String
    /// A condition on the table's columns: who is synced. `nil`: everybody.
    public let scope: String?
    /// The column of each mapped field; a text in parentheses is an SQL expression over the row.
    public let fields: [ProfileField: String]
    /// The table or view from which the fields are read, joined by its column named as the key. `nil`: from `table`.
    public let profile: QualifiedName?
    /// Other tables that profiles are read from, whose changes matter.
    public let related: [RelatedTable]
    /// How changes come to be known.
    public let capture: Capture
    /// The column that says when a row was changed; only polling reads it. `nil`: there is none.
    public let updatedAt: String?
    /// What the columns' texts become before they are sent.
    public let values: ValueRules

    /// What a source has to be able to.
    public enum Capture: Sendable, Hashable {
        /// By triggers, so it must be a table.
        case triggers
        /// By comparing, so it may be a view.
        case polling
    }

    public init(
        table: QualifiedName, key: String, reference: String, scope: String?, fields: [ProfileField: String],
        profile: QualifiedName? = nil, related: [RelatedTable] = [], capture: Capture = .triggers,
        updatedAt: String? = nil, values: ValueRules = ValueRules()
    ) {
        self.table = table
        self.key = key
        self.reference = reference
        self.scope = scope
        self.fields = fields
        self.profile = profile
        self.related = related
        self.capture = capture
        self.updatedAt = updatedAt
        self.values = values
    }

    /// Every field that may be sent, in its order: the mapped ones, and those that something else stands in for.
    public var sentFields: [ProfileField] { values.sentFields(mapped: fields.keys) }

    /// What decides, besides the columns, which values are sent; see `ValueRules.signature`.
    public var valueSignature: String { values.signature(mapped: fields.keys) }

    /// The mapped fields in the one order that queries and decoders share.
    var orderedFields: [ProfileField] { fields.keys.sorted() }

    /// Every column of the table that must be there and readable.
    var neededColumns: [String] { columns + [updatedAt].compactMap(\.self) }

    /// Every column of the table that is named and a change of which matters. Those that the condition and
    /// expressions read only the database knows.
    var columns: [String] {
        ([key, reference] + (profile == nil ? fieldColumns : [])).reduce(into: []) { columns, column in
            if !columns.contains(column) { columns.append(column) }
        }
    }

    /// The columns that fields name, of the profile where there is one.
    var fieldColumns: [String] {
        orderedFields.compactMap { fields[$0] }.filter { !SourceMapping.isExpression($0) }
    }

    /// Whether a field's text is SQL rather than the name of a column.
    static func isExpression(_ text: String) -> Bool { text.hasPrefix("(") && text.hasSuffix(")") }

    /// The related tables by their names as SQL spells them, in the order of these.
    var relatedByTable: [(name: String, entries: [RelatedTable])] {
        Dictionary(grouping: related) { $0.table.qualified.quoted }.sorted { $0.key < $1.key }
            .map { (name: $0.key, entries: $0.value) }
    }

    /// What gives a field's value, as SQL.
    func value(of field: ProfileField) -> String {
        guard let text = fields[field] else { return "NULL" }
        return SourceMapping.isExpression(text) ? text : quoteIdentifier(text)
    }
}

/// A table besides the users table whose changes matter, because profiles are read from it too.
public struct RelatedTable: Sendable, Hashable {
    public let table: QualifiedName
    /// What users refer to.
    public let key: String
    /// The columns a change of which matters.
    public let columns: [String]
    /// The column of the users table that holds the key.
    public let users: String

    public init(table: QualifiedName, key: String, columns: [String], users: String) {
        self.table = table
        self.key = key
        self.columns = columns
        self.users = users
    }
}
