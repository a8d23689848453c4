/// What a logger is handed never names something that holds a profile, a credential or a body.
///
/// A rule about names can't prove that nothing leaks; tests with planted values do that. It catches the
/// line that somebody adds while looking for a fault.
enum SecrecyRules {
    static let levels: Set<String> = ["trace", "debug", "info", "notice", "warning", "error", "critical", "log"]

    static let secrets: Set<String> = [
        "profile", "profiles", "fields", "token", "tokens", "refreshtoken", "password", "secret", "apitoken",
        "credentials", "authorization", "body", "payload", "parameters", "dsn", "reveal", "databaseurl",
    ]

    /// Types that must print redacted, by the file that declares each.
    static let redacted: [(type: String, path: String)] = [
        ("Profile", "Sources/SyncCore/Profile.swift"),
        ("Parameter", "Sources/Postgres/Parameter.swift"),
        ("ConnectionSettings", "Sources/Postgres/ConnectionSettings.swift"),
        ("TokenRequest", "Sources/SignalWire/TokenRequest.swift"),
        ("SignalWireSettings", "Sources/SignalWire/SignalWireSettings.swift"),
        ("MintedToken", "Sources/SignalWire/MintedToken.swift"),
        ("RemoteSubscriber", "Sources/SyncCore/RemoteSubscriber.swift"),
        ("SubscriberPage", "Sources/SignalWire/SubscriberPage.swift"),
    ]

    static func violations(in file: SourceFile) -> [String] {
        let words = file.text.words
        return words.indices.filter { isCallOfLogger(words, $0) }.flatMap { index -> [String] in
            let end = endOfCall(words[index], in: file.text)
            return words[(index + 1)...].prefix { $0.offset < end }
                .filter { secrets.contains($0.text.lowercased()) && $0.after != ":" }
                .map { "\(file.place($0.line)): a logger is handed \($0.text)" }
        }
    }

    private static func isCallOfLogger(_ words: [Word], _ index: Int) -> Bool {
        guard index > 0, levels.contains(words[index].text), words[index].before == "." else { return false }
        return words[index].after == "(" && words[index - 1].text.lowercased().hasSuffix("logger")
    }

    /// Where the bracket closes that the call opens, in bytes.
    private static func endOfCall(_ word: Word, in text: SwiftText) -> Int {
        let bytes = text.code.joined(separator: "\n").utf8.map { $0 }
        var depth = 0
        for position in word.offset..<bytes.count {
            if bytes[position] == UInt8(ascii: "(") { depth += 1 }
            if bytes[position] == UInt8(ascii: ")") {
                depth -= 1
                if depth == 0 { return position }
            }
        }
        return bytes.count
    }
}
