import CLibPQ

/// One answer of the server, freed with the value.
struct RawResult: ~Copyable {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    /// What kind of answer it is, as far as we tell them apart.
    enum Kind {
        /// A command without rows is done, or the text was empty.
        case command
        case rows
        /// A COPY has begun, which nothing here can serve.
        case copy
        case failure
    }

    var kind: Kind {
        switch PQresultStatus(pointer) {
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: .command
        case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE: .rows
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: .copy
        default: .failure
        }
    }

    var rowCount: Int { Int(PQntuples(pointer)) }

    /// How many rows the command touched; 0 for commands that touch none.
    var affectedRowCount: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    /// The first word of what the server says was done, such as `COMMIT`.
    var commandTag: String { String(cString: PQcmdStatus(pointer)) }

    /// The fields of an error that we read. DETAIL and CONTEXT are not among them: they quote rows.
    enum Field {
        case sqlState, message, hint, position, schema, table, column, constraint, dataType

        fileprivate var code: Int32 {
            switch self {
            case .sqlState: Int32(UInt8(ascii: "C"))
            case .message: Int32(UInt8(ascii: "M"))
            case .hint: Int32(UInt8(ascii: "H"))
            case .position: Int32(UInt8(ascii: "P"))
            case .schema: Int32(UInt8(ascii: "s"))
            case .table: Int32(UInt8(ascii: "t"))
            case .column: Int32(UInt8(ascii: "c"))
            case .constraint: Int32(UInt8(ascii: "n"))
            case .dataType: Int32(UInt8(ascii: "d"))
            }
        }
    }

    func field(_ field: Field) -> String? {
        PQresultErrorField(pointer, field.code).map { String(cString: $0) }
    }
}
