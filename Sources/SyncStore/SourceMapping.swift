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
    /// The column of each mapped field.
    public let fields: [ProfileField: String]
    /// How changes come to be known.
    public let capture: Capture
    /// The column that says when a row was changed; only polling reads it. `nil`: there is none.
    public let updatedAt: String?

    /// What a source has to be able to.
    public enum Capture: Sendable, Hashable {
        /// By triggers, so it must be a table.
        case triggers
        /// By comparing, so it may be a view.
        case polling
    }

    public init(
        table: QualifiedName, key: String, reference: String, scope: String?, fields: [ProfileField: String],
        capture: Capture = .triggers, updatedAt: String? = nil
    ) {
        self.table = table
        self.key = key
        self.reference = reference
        self.scope = scope
        self.fields = fields
        self.capture = capture
        self.updatedAt = updatedAt
    }

    /// The mapped fields in the one order that queries and decoders share.
    var orderedFields: [ProfileField] { fields.keys.sorted() }

    /// Every column that must be there and readable.
    var neededColumns: [String] { columns + [updatedAt].compactMap(\.self) }

    /// Every column a change of which matters, without the condition's.
    var columns: [String] {
        ([key, reference] + orderedFields.compactMap { fields[$0] }).reduce(into: []) { columns, column in
            if !columns.contains(column) { columns.append(column) }
        }
    }
}
