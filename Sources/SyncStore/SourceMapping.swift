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

    public init(
        table: QualifiedName, key: String, reference: String, scope: String?, fields: [ProfileField: String]
    ) {
        self.table = table
        self.key = key
        self.reference = reference
        self.scope = scope
        self.fields = fields
    }

    /// The mapped fields in the one order that queries and decoders share.
    var orderedFields: [ProfileField] { fields.keys.sorted() }

    /// Every column that is named, without the condition's.
    var columns: [String] {
        ([key, reference] + orderedFields.compactMap { fields[$0] }).reduce(into: []) { columns, column in
            if !columns.contains(column) { columns.append(column) }
        }
    }
}
