import FoundationEssentials

/// What `config` and messages may show of a setting's value, and whether a file may hold it.
enum Exposure: Sendable, Hashable {
    /// Everything.
    case open
    /// Everything; but it is kept beside a secret, so it may come from a file like one.
    case account
    /// What names the database; no password, and no option that isn't known to be harmless.
    case connectionString
    /// Nothing.
    case secret
}

/// One key of the settings, without the type of its value: what every source and message needs to know.
struct SettingDefinition: Sendable, Hashable {
    /// The way through the YAML file, such as `delivery.rate`.
    let path: String
    /// One sentence for operators: what it decides.
    let sentence: String
    /// What to write, to stand behind "Write".
    let form: String
    /// The value that holds where nobody gave one; empty: none.
    let standardText: String
    let exposure: Exposure
    /// Whether an empty variable, or null in YAML, is a value. Elsewhere both mean that nobody gave one:
    /// containers pass variables that nobody has set as empty ones.
    let isEmptyAValue: Bool
    /// Whether the YAML file writes it as a list.
    let isList: Bool

    /// The path in upper case with `_` for `.`.
    var environmentName: String { SettingDefinition.environmentName(of: path) }

    static func environmentName(of path: String) -> String { String(path.uppercased().map { $0 == "." ? "_" : $0 }) }

    /// The variable that names a file with the value: how container platforms hand secrets over.
    var fileVariable: String? { exposure == .open ? nil : environmentName + "_FILE" }

    /// What may be shown of a value; `nil`: there is none.
    func shown(_ text: String) -> String? {
        guard !text.isEmpty else { return nil }
        return switch exposure {
        case .open, .account: text
        case .connectionString: ConnectionString.withoutSecrets(text)
        case .secret: Secret.redacted
        }
    }
}

/// One key of the settings with the type of its value.
struct Setting<Value: Sendable>: Sendable {
    let definition: SettingDefinition
    let syntax: ValueSyntax<Value>
    /// The value that holds where nobody gave one.
    let standard: Value

    init(
        _ path: String, _ syntax: ValueSyntax<Value>, standard: Value, exposure: Exposure = .open,
        isEmptyAValue: Bool = false, isList: Bool = false, _ sentence: String
    ) {
        self.syntax = syntax
        self.standard = standard
        definition = SettingDefinition(
            path: path, sentence: sentence, form: syntax.form, standardText: syntax.render(standard),
            exposure: exposure, isEmptyAValue: isEmptyAValue, isList: isList)
    }

    /// Reads a text, with or without white space around it.
    func value(of text: String) throws(ValueProblem) -> Value {
        try syntax.parse(text.trimmingSpace())
    }
}

extension String {
    /// Without the white space at both ends, of which files and shells leave some behind.
    func trimmingSpace() -> String {
        let start = drop(while: \.isWhitespace)
        return String(start.dropLast(start.reversed().prefix(while: \.isWhitespace).count))
    }
}
