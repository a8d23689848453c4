/// Why a text could not be read, and where.
///
/// It never quotes the text, which may hold a secret.
public struct YAMLProblem: Error, Sendable, Equatable {
    /// What is wrong.
    public enum Kind: Sendable, Equatable {
        /// In the words of libyaml, which are about YAML's grammar alone.
        case syntax(String)
        case controlCharacter
        case duplicateKey
        case unknownAlias
        case severalDocuments
        case tooDeep
        case tooManyAliases
        case tooManyValues
        case outOfMemory
    }

    public let kind: Kind
    /// `nil` where libyaml doesn't say.
    public let mark: Mark?

    /// To stand behind a colon.
    public var reason: String {
        switch kind {
        case .syntax(let words): words
        case .controlCharacter: "it holds a control character"
        case .duplicateKey: "a key stands twice in one section"
        case .unknownAlias: "an alias (*name) stands before what it names, or inside of it"
        case .severalDocuments: "it holds more than one document"
        case .tooDeep: "it has more than \(YAMLLimits.depth) levels"
        case .tooManyAliases: "it has more than \(YAMLLimits.aliases) aliases (*name)"
        case .tooManyValues: "it has more than \(YAMLLimits.values) values"
        case .outOfMemory: "there is not enough memory"
        }
    }
}

/// What a document may have at most: anybody's settings are far below, and what is beyond is refused while it is read.
public enum YAMLLimits {
    /// Lists and maps inside of one another.
    public static let depth = 64
    /// Each may stand for values that hold aliases again, so that forty lines can come to a million million values.
    public static let aliases = 30
    /// With what aliases stand for.
    public static let values = 250_000
}
