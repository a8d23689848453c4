/// Where SQL may stand: in `SyncStore` and in `migrations/`, and the words of a connection in `Postgres`.
enum SQLRules {
    /// Words that begin a statement. Only in capitals, and only in literals, so that English isn't meant.
    static let statements: Set<String> = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "ALTER", "DROP", "TRUNCATE", "GRANT", "REVOKE",
        "BEGIN", "COMMIT", "ROLLBACK",
    ]

    /// What belongs to a connection rather than to a table.
    static let ofConnections: Set<String> = ["BEGIN", "COMMIT", "ROLLBACK"]

    /// Words that aren't statements where they stand.
    static let exceptions: [String: (words: Set<String>, reason: String)] = [
        "Sources/Postgres/RawConnection+Opening.swift": (["SELECT"], "which process of the server answers"),
        "Sources/SignalWireSandbox/Route.swift": (["DELETE"], "the method of HTTP"),
        "Sources/SyncAgent/Narrator.swift": (["GRANT"], "a hint for the operator, to be typed into psql"),
        "Sources/SyncCommands/Resync.swift": (["SELECT"], "a hint for the operator, to be typed into psql"),
    ]

    static func violations(in file: SourceFile) -> [String] {
        guard file.target != "SyncStore" else { return [] }
        let allowed = (file.target == "Postgres" ? ofConnections : []).union(exceptions[file.path]?.words ?? [])
        return file.text.literals.flatMap { literal in
            words(of: literal.text).filter { statements.contains($0) && !allowed.contains($0) }.map {
                "\(file.place(literal.line)): \($0)"
            }
        }
    }

    /// `Postgres` is told what to ask; it names no schema and no table of ours.
    static func tableNames(in file: SourceFile) -> [String] {
        guard file.target == "Postgres" else { return [] }
        return file.text.literals.filter { $0.text.contains("subscriber_sync") || words(of: $0.text).contains("FROM") }
            .map { file.place($0.line) }
    }

    private static func words(of text: String) -> [String] {
        text.utf8.split { !$0.isWordPart }.map { String(decoding: $0, as: UTF8.self) }
    }
}
