/// Rules about single words: what is called, written or forced where it must not be.
enum WordRules {
    /// A word that may not stand in some targets.
    struct Ban: Sendable {
        let word: String
        /// What makes this use of the word the banned one.
        var use = Use.any
        /// The targets, or files, that may have it all the same.
        var allowedIn: Set<String> = []

        /// How a word is used.
        enum Use: Sendable {
            case any
            /// `word(`, but not as a member of something: `self.word(`.
            case called
            /// `word!`
            case forced
            /// `@word`
            case attribute
        }

        func matches(_ word: Word) -> Bool {
            guard word.text == self.word else { return false }
            switch use {
            case .any: return true
            case .called: return word.after == "(" && word.before != "."
            case .forced: return word.after == "!"
            case .attribute: return word.before == "@"
            }
        }

        func allows(_ file: SourceFile) -> Bool {
            allowedIn.contains(file.target) || allowedIn.contains(file.path)
        }
    }

    /// Only `SyncCommands` talks to the process around it.
    static let process: [Ban] =
        ["print", "debugPrint", "dump", "exit", "_exit", "abort", "getenv", "setenv", "readLine"]
        .map { Ban(word: $0, use: .called, allowedIn: ["SyncCommands"]) }
        + ["ProcessInfo", "CommandLine"].map { Ban(word: $0, allowedIn: ["SyncCommands"]) }

    /// The program never ends itself by an assumption.
    static let unsafety: [Ban] = [
        Ban(word: "try", use: .forced),
        Ban(word: "as", use: .forced),
        Ban(word: "fatalError", use: .called),
        Ban(word: "preconditionFailure", use: .called),
        Ban(word: "unsafeBitCast", use: .called),
        // The one handle that another thread may use while its owner waits; the file says why that is right.
        Ban(word: "unchecked", use: .attribute, allowedIn: ["Sources/Postgres/RawConnection.swift"]),
        // `nonisolated(unsafe)` and `unowned(unsafe)`.
        Ban(word: "unsafe"),
    ]

    /// The core decides from what it is given: it doesn't wait, look at a clock, or throw dice of the system's.
    static let core: [Ban] = [
        "async", "await", "Task", "actor", "Date", "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator",
        "Thread", "DispatchQueue", "print", "debugPrint", "dump", "getenv",
    ].map { Ban(word: $0) }

    static func violations(of bans: [Ban], in file: SourceFile) -> [String] {
        file.text.words.flatMap { word in
            bans.filter { $0.matches(word) && !$0.allows(file) }.map { "\(file.place(word.line)): \($0.word)" }
        }
    }

    /// `value!`, `call()!`, `list[0]!` and the type `Value!`; `try!` and `as!` are among the words.
    static func forcedUnwraps(in file: SourceFile) -> [String] {
        file.text.code.enumerated().compactMap { index, line in
            let bytes = Array(line.utf8)
            let isForced = bytes.indices.dropFirst().contains { position in
                let before = bytes[position - 1]
                let after = position + 1 < bytes.count ? bytes[position + 1] : UInt8(ascii: " ")
                return bytes[position] == UInt8(ascii: "!") && after != UInt8(ascii: "=")
                    && (before.isWordPart || before == UInt8(ascii: ")") || before == UInt8(ascii: "]"))
            }
            return isForced ? "\(file.place(index + 1)): \(line.trimmed)" : nil
        }
    }
}

extension Substring {
    var trimmed: Substring {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let front = drop(while: isBlank)
        return front.lastIndex { !isBlank($0) }.map { front[...$0] } ?? ""
    }
}
