/// What PostgreSQL's condition codes say, and which of their messages are safe to show.
///
/// Source of the names: the PostgreSQL documentation, appendix A.
enum SQLState {
    static let queryCanceled = "57014"

    /// Classes whose messages name identifiers or the server's state, and never what a row holds:
    /// connection, unsupported features, transaction state, authorization, catalog and schema names,
    /// rollback, syntax and access rules, resources, limits, object state, operators' intervention, system.
    private static let speakingClasses: Set<String> = [
        "08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58",
    ]

    static func mayQuoteMessage(_ state: String) -> Bool {
        speakingClasses.contains(String(state.prefix(2)))
    }

    /// Such as `unique violation`, or the name of the class where the code has none here.
    static func name(_ state: String) -> String {
        names[state] ?? classNames[String(state.prefix(2))] ?? "an error"
    }

    private static let names = [
        "21000": "cardinality violation",
        "22000": "data exception",
        "22001": "text is too long for its column",
        "22003": "numeric value out of range",
        "22004": "null value not allowed",
        "22007": "invalid date or time format",
        "22008": "date or time out of range",
        "22012": "division by zero",
        "22021": "character not in repertoire",
        "22023": "invalid parameter value",
        "2202E": "array subscript error",
        "22025": "invalid escape sequence",
        "2201B": "invalid regular expression",
        "22030": "duplicate JSON object key",
        "22032": "invalid JSON text",
        "22P02": "invalid text representation",
        "22P03": "invalid binary representation",
        "22P05": "untranslatable character",
        "23000": "integrity constraint violation",
        "23001": "restrict violation",
        "23502": "not-null violation",
        "23503": "foreign key violation",
        "23505": "unique violation",
        "23514": "check violation",
        "23P01": "exclusion violation",
        "38000": "external routine exception",
        "44000": "view check option violation",
        "P0001": "an exception raised by a function or trigger",
        "P0002": "no data found",
        "P0003": "too many rows",
        "P0004": "assertion failure",
        "XX000": "internal error",
        "XX001": "data corrupted",
        "XX002": "index corrupted",
    ]

    private static let classNames = [
        "21": "cardinality violation",
        "22": "data exception",
        "23": "integrity constraint violation",
        "24": "invalid cursor state",
        "2D": "invalid transaction termination",
        "2F": "SQL routine exception",
        "38": "external routine exception",
        "39": "external routine invocation exception",
        "F0": "configuration file error",
        "HV": "foreign data wrapper error",
        "P0": "PL/pgSQL error",
        "XX": "internal error",
    ]
}
