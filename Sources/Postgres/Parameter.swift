/// A value that travels beside a statement, never inside it.
///
/// Values go in text form and without a type: the server infers the type from the place where the
/// parameter stands, so write a cast (`$1::bigint`) where nothing else tells it. It prints redacted.
public enum Parameter: Sendable, Equatable {
    case null
    case text(String)
    case optionalText(String?)
    case bigint(Int64)
    case optionalBigint(Int64?)
    case boolean(Bool)
    case optionalBoolean(Bool?)
    case double(Double)
    case optionalDouble(Double?)
    case textArray([String?])
    case bigintArray([Int64?])
    case booleanArray([Bool?])

    /// As PostgreSQL's input functions read it; `nil` is NULL.
    var wireText: String? {
        switch self {
        case .null: nil
        case .text(let value): value
        case .optionalText(let value): value
        case .bigint(let value): String(value)
        case .optionalBigint(let value): value.map { String($0) }
        case .boolean(let value): Parameter.wireText(value)
        case .optionalBoolean(let value): value.map(Parameter.wireText)
        case .double(let value): value.description
        case .optionalDouble(let value): value?.description
        case .textArray(let values): ArrayText.literal(values)
        case .bigintArray(let values): ArrayText.literal(values.map { $0.map { String($0) } })
        case .booleanArray(let values): ArrayText.literal(values.map { $0.map(Parameter.wireText) })
        }
    }

    private static func wireText(_ value: Bool) -> String { value ? "t" : "f" }
}

extension Parameter: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "redacted" }
    public var debugDescription: String { "redacted" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Parameter: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .bigint(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(nilLiteral: ()) { self = .null }
}
