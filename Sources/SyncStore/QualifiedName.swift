import Postgres

/// A table or view by name, with its schema where one was given.
public struct QualifiedName: Sendable, Hashable, CustomStringConvertible {
    public let schema: String?
    public let name: String

    public init(schema: String?, name: String) {
        self.schema = schema
        self.name = name
    }

    /// As SQL spells it, safe for any name.
    public var quoted: String {
        guard let schema else { return quoteIdentifier(name) }
        return quoteIdentifier(schema) + "." + quoteIdentifier(name)
    }

    /// With a schema: `public` where none was given, because our sessions pin their search path.
    var qualified: QualifiedName { QualifiedName(schema: schema ?? "public", name: name) }

    public var description: String { schema.map { "\($0).\(name)" } ?? name }
}
