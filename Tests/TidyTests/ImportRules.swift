/// Which modules a target may import: the staircase of the architecture, from below to above.
enum ImportRules {
    /// The libraries of the system and of the toolchain that any target may have, but `SyncCore`, which imports nothing.
    static let common: Set<String> = ["FoundationEssentials", "Glibc", "Musl", "Darwin", "Synchronization"]

    /// Everything else, by target. A module that isn't listed may not be imported.
    static let allowed: [String: Set<String>] = [
        "SyncCore": [],
        "Migrations": [],
        "Postgres": ["CLibPQ"],
        "YAML": ["CYAML"],
        "SyncStore": ["Migrations", "Postgres", "SyncCore", "Crypto"],
        "SignalWire": ["SyncCore", "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix"],
        "SignalWireSandbox": [
            "Hummingbird", "HummingbirdCore", "HTTPTypes", "Logging", "NIOCore", "NIOPosix", "NIOConcurrencyHelpers",
            "ServiceLifecycle",
        ],
        "SyncAgent": [
            "Postgres", "SignalWire", "SyncCore", "SyncStore", "CoreMetrics", "Logging", "NIOConcurrencyHelpers",
            "ServiceLifecycle",
        ],
        "Operations": [
            "SyncAgent", "SyncCore", "SyncStore", "CoreMetrics", "Crypto", "HTTPTypes", "Hummingbird",
            "HummingbirdCore", "Logging", "NIOCore", "ServiceLifecycle",
        ],
        "SyncCommands": [
            "Migrations", "Operations", "Postgres", "SignalWire", "SignalWireSandbox", "SyncAgent", "SyncCore",
            "SyncStore", "YAML", "ArgumentParser", "Configuration", "Logging", "ServiceLifecycle", "UnixSignals",
        ],
        "subscriber-sync": ["SyncCommands", "ArgumentParser"],
    ]

    /// One import of one file.
    struct Import: Equatable {
        let module: String
        let line: Int
    }

    static func imports(in text: SwiftText) -> [Import] {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "actor", "func", "let", "var", "typealias"]
        return text.words.indices.compactMap { index in
            guard text.words[index].text == "import" else { return nil }
            let rest = text.words[(index + 1)...].prefix { $0.line == text.words[index].line }
            guard let module = rest.first(where: { !kinds.contains($0.text) }) else { return nil }
            return Import(module: module.text, line: module.line)
        }
    }

    static func violations(in file: SourceFile) -> [String] {
        let permitted = (allowed[file.target] ?? []).union(file.target == "SyncCore" ? [] : common)
        return imports(in: file.text).filter { !permitted.contains($0.module) }.map {
            "\(file.place($0.line)): \(file.target) may not import \($0.module)"
        }
    }

    /// Whether one target of ours may reach another, over any number of steps.
    static func reaches(_ from: String, _ to: String) -> Bool {
        (allowed[from] ?? []).contains { $0 == to || reaches($0, to) }
    }
}
