/// An SQL statement as a typed constant: its name, its text, and how one row of its answer is read.
///
/// The name stands in errors and logs in place of the text. On the wire a statement is unnamed, so that poolers
/// which share server connections between transactions go on working; but see `Planning.once`.
public struct Statement<Row: Sendable>: Sendable {
    public typealias Decoder = @Sendable (borrowing RowReader) throws(PostgresError) -> Row

    public let name: String
    public let text: String
    let planning: Planning
    let decode: Decoder

    /// - Parameter decode: reads one row, by position. It runs on the connection's thread.
    public init(_ name: String, _ text: String, planning: Planning = .eachTime, decode: @escaping Decoder) {
        self.name = name
        self.text = text
        self.planning = planning
        self.decode = decode
    }
}

/// How the server comes to the plan of a statement.
public enum Planning: Sendable {
    /// Anew each time, for the values that it runs with.
    case eachTime
    /// Once for a connection that is ours alone, for whatever values, and without sequential scans where there is an
    /// index. For a wide statement that runs again and again, reads few rows, and reads them by index whatever it is
    /// given: parsing and planning such a one takes several times as long as running it. Inside a transaction, and
    /// behind a pooler, it is planned each time all the same.
    case once
}

extension Statement where Row == Void {
    /// A command whose rows, if there are any, nobody reads.
    public init(_ name: String, _ text: String) {
        self.init(name, text) { _ throws(PostgresError) in }
    }
}
