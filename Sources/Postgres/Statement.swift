/// An SQL statement as a typed constant: its name, its text, and how one row of its answer is read.
///
/// The name stands in errors and logs in place of the text. On the wire every statement is unnamed,
/// so that poolers which share server connections between transactions go on working.
public struct Statement<Row: Sendable>: Sendable {
    public typealias Decoder = @Sendable (borrowing RowReader) throws(PostgresError) -> Row

    public let name: String
    public let text: String
    let decode: Decoder

    /// - Parameter decode: reads one row, by position. It runs on the connection's thread.
    public init(_ name: String, _ text: String, decode: @escaping Decoder) {
        self.name = name
        self.text = text
        self.decode = decode
    }
}

extension Statement where Row == Void {
    /// A command whose rows, if there are any, nobody reads.
    public init(_ name: String, _ text: String) {
        self.init(name, text) { _ throws(PostgresError) in }
    }
}
