import CLibPQ

/// One row of an answer, read by position, from 0.
///
/// A column that is missing, NULL where it must not be, or not of the type asked for throws
/// `unexpectedResult` with the names of the statement and the column. It can't outlive the decoder.
public struct RowReader: ~Copyable {
    private let result: OpaquePointer
    private let row: Int32
    private let statement: String

    init(_ result: borrowing RawResult, row: Int, statement: String) {
        self.result = result.pointer
        self.row = Int32(clamping: row)
        self.statement = statement
    }

    /// How many columns the row has.
    public var columnCount: Int { Int(PQnfields(result)) }

    public func isNull(_ index: Int) throws(PostgresError) -> Bool { try bytes(index) == nil }

    /// The column's text form, whatever its type.
    public func text(_ index: Int) throws(PostgresError) -> String {
        try required(index, try optionalText(index), "text")
    }

    public func optionalText(_ index: Int) throws(PostgresError) -> String? {
        try bytes(index).map { String(decoding: $0, as: UTF8.self) }
    }

    public func bigint(_ index: Int) throws(PostgresError) -> Int64 {
        try required(index, try optionalBigint(index), "bigint")
    }

    public func optionalBigint(_ index: Int) throws(PostgresError) -> Int64? {
        try parsed(index, "bigint") { Int64($0) }
    }

    public func integer(_ index: Int) throws(PostgresError) -> Int {
        try required(index, try optionalInteger(index), "integer")
    }

    public func optionalInteger(_ index: Int) throws(PostgresError) -> Int? {
        try parsed(index, "integer") { Int($0) }
    }

    public func double(_ index: Int) throws(PostgresError) -> Double {
        try required(index, try optionalDouble(index), "double precision")
    }

    public func optionalDouble(_ index: Int) throws(PostgresError) -> Double? {
        try parsed(index, "double precision") { Double($0) }
    }

    public func boolean(_ index: Int) throws(PostgresError) -> Bool {
        try required(index, try optionalBoolean(index), "boolean")
    }

    public func optionalBoolean(_ index: Int) throws(PostgresError) -> Bool? {
        try parsed(index, "boolean") { ["t": true, "f": false][$0] }
    }

    public func textArray(_ index: Int) throws(PostgresError) -> [String?] {
        try required(index, try optionalTextArray(index), "one-dimensional array")
    }

    public func optionalTextArray(_ index: Int) throws(PostgresError) -> [String?]? {
        guard let bytes = try bytes(index) else { return nil }
        return try required(index, ArrayText.elements(of: bytes), "one-dimensional array")
    }

    public func bigintArray(_ index: Int) throws(PostgresError) -> [Int64?] {
        var numbers: [Int64?] = []
        for text in try textArray(index) {
            numbers.append(try text.map { text throws(PostgresError) in try required(index, Int64(text), "bigint[]") })
        }
        return numbers
    }

    private func parsed<Value>(
        _ index: Int, _ type: String, _ parse: (String) -> Value?
    ) throws(PostgresError) -> Value? {
        guard let text = try optionalText(index) else { return nil }
        return try required(index, parse(text), type)
    }

    private func required<Value>(_ index: Int, _ value: Value?, _ type: String) throws(PostgresError) -> Value {
        guard let value else {
            throw mismatch("its column \(columnName(index)) is \(try isNull(index) ? "NULL" : "not a \(type)")")
        }
        return value
    }

    /// - Returns: the bytes as they stand in the answer; `nil` is NULL.
    private func bytes(_ index: Int) throws(PostgresError) -> UnsafeRawBufferPointer? {
        guard index >= 0, index < columnCount else {
            throw mismatch("it has \(columnCount) columns, and column \(index) was asked for, counted from 0")
        }
        let column = Int32(index)
        guard PQgetisnull(result, row, column) == 0 else { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    }

    private func columnName(_ index: Int) -> String {
        PQfname(result, Int32(index)).map { quoteIdentifier(String(cString: $0)) } ?? String(index)
    }

    private func mismatch(_ what: String) -> PostgresError {
        PostgresError(
            .unexpectedResult, "Statement \(statement) got an answer that it does not understand: \(what).",
            statement: statement)
    }
}
