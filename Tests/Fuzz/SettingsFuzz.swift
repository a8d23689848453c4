import ArgumentParser
import Testing

@testable import SyncCommands

/// What operators write.
extension FuzzTests {
    private static let secret = "Planted0Secret9"

    private static let files = [
        """
        source:
          table: public.users
          key: id
          reference: email
          where: "deleted_at IS NULL"
          fields:
            first_name: first
            time_zone: tz
        capture: {mode: listen, poll_interval: 5s, sweep_interval: 6h}
        database:
          url: postgresql://ada:\(secret)@db/app
        signalwire:
          api_token: \(secret)
          token_ttl: 5m
        delivery: {concurrency: 32, rate: 100, timeout: 15s, lease: 60s}
        operations: {listen: 127.0.0.1:9464}
        """,
        "source: &a\n  fields: {first_name: first}\n  reference: email\nlog: *a\n",
        "a: &a [x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\n? [*c, *c]\n: 1\n",
        "# nothing\n", "--- !!map\n? !!str source\n: {reference: 'e', fields: {last_name: |\n  l\n}}\n...\n",
    ]
    private static let fileTokens = [
        ":", ": ", "- ", "\n", "\n  ", "  ", "\t", "{", "}", "[", "]", "&a ", "*a", "!!str ", "!x ", "|", ">", "? ",
        "'",
        "\"", "#", "---", "...", "<<: *a", "null", "~", "source:", "delivery:", "rate: ", "url: ", "\(secret)", "\\x00",
        "%YAML 1.2", "delivery.rate", "password: ", "lease: 1h", ",", "@", "`",
    ]
    private static let values = [
        "public.users", "5s", "1h30m", "100", "127.0.0.1:9464", "[::1]:1", "hold", "listen", "-1", "0", "true", "",
        "postgresql://ada:\(secret)@db/app", "\"My Schema\".\"U\"", "99999999999d",
    ]

    /// Flags, variables and a file, each of which may be anything.
    @Test("in flags, variables and a file is settings or a list of problems, and no problem quotes a secret")
    func settings() {
        let names = SettingTable.all.flatMap { [$0.environmentName, $0.fileVariable].compactMap { $0 } }
        let keys = SettingTable.all.map(\.path)
        FuzzRun.over("settings") { input in
            var environment = ["SUBSCRIBER_SYNC_CONFIG": "file"]
            for _ in 0..<input.int(0...3) {
                environment[input.pick(names)] = input.text(from: Self.values, tokens: Self.values, limit: 200)
            }
            var arguments: [String] = []
            if input.once(in: 4) {
                let value = input.text(from: Self.values, tokens: Self.values, limit: 200)
                arguments = ["--set", "\(input.pick(keys))=\(value)"]
            }
            let file = input.bytes(from: Self.files, tokens: Self.fileTokens)
            let loader = SettingsLoader(environment: environment) { _ throws(FileProblem) in file }
            let loaded: SettingsLoader.Loaded
            do throws(SettingsError) {
                guard let options = try? SettingsOptions.parse(arguments) else { return .held }
                loaded = try loader.load(options, needsSource: input.once(in: 2))
            } catch {
                let text = error.message + (error.hint ?? "")
                let isBounded = text.utf8.count < 20_000
                return isBounded && !text.holds(Self.secret) ? .held : .broken("\(text.prefix(800)) of \(file.shown)")
            }
            let token = loaded.effective.first { $0.key == SettingTable.apiToken.definition.path }?.value
            return token == nil || token == Secret.redacted ? .held : .broken("shows the token of \(file.shown)")
        }
    }

    @Test("in a deep or self-referring file is refused or read, and never ends the program")
    func deepFiles() {
        let bombs =
            [1_000, 20_000, 100_000].flatMap { count in
                ["[", "{a: ", "- ", "? ", "{? ", "!a "].map { String(repeating: $0, count: count) }
            } + ["a: &a [*a]\n", "a: &a {b: *a}\n", "&a ? *a\n: 1\n"] + [
                Self.laughs(levels: 40, ending: "x: *a39\n"), Self.laughs(levels: 40, ending: "? *a39\n: 1\n"),
                Self.laughs(levels: 40, ending: "? *a39\n: 1\n? *a38\n: 2\n"),
            ]
        FuzzRun.over("deep files", count: bombs.count) { input in
            let bomb = bombs[Int((input.seed - 1) % UInt64(bombs.count))]
            let document = SettingsDocument(bomb, path: "file")
            return document.problems.isEmpty ? .broken("took \(bomb.prefix(60))") : .held
        }
    }

    /// Each level names the one before it twice: a million million nodes in a few lines.
    private static func laughs(levels: Int, ending: String) -> String {
        let lines = (1..<levels).map { "l\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }
        return "l0: &a0 [x]\n" + lines.joined() + ending
    }

    @Test("that is a duration, a table or an address reads back as it is written")
    func values() {
        FuzzRun.over("values") { input in
            let samples = ["500ms", "5s", "10m", "6h", "30d", "1h30m", "1d2h3m4s5ms", "0"]
            let text = input.text(from: samples, tokens: samples + ["ms", "d", "-", ".", " "], limit: 100)
            if let duration = try? DurationText.parse(text) {
                let written = DurationText.render(duration)
                guard (try? DurationText.parse(written)) == duration else { return .broken("\(text) is \(written)") }
            }
            let duration = Duration.milliseconds(input.int64(0...9_000_000_000_000))
            guard (try? DurationText.parse(DurationText.render(duration))) == duration else {
                return .broken("\(duration)")
            }
            return try table(&input) ?? address(&input) ?? .held
        }
    }

    private func table(_ input: inout FuzzInput) throws -> FuzzRun.Verdict? {
        let text = input.text(
            from: ["users", "public.users", "\"My Schema\".\"User \"\"Table\"\"\""],
            tokens: [".", "\"", " ", "a", "\u{301}"],
            limit: 100)
        if let name = try? TableName(parsing: text), (try? TableName(parsing: name.description)) != name {
            return .broken("\(text.debugDescription) is \(name.description.debugDescription)")
        }
        let any = TableName(schema: input.once(in: 2) ? nil : "s" + input.anyText(), name: input.anyText() + "n")
        let hasNUL = any.description.utf8.contains(0)
        let again = try? TableName(parsing: any.description)
        return hasNUL || again == any
            ? nil : .broken("\(any.description.debugDescription) is read as \(String(describing: again))")
    }

    private func address(_ input: inout FuzzInput) -> FuzzRun.Verdict? {
        let text = input.text(
            from: ["127.0.0.1:9464", "[::1]:0", "localhost:65535", "[fe80::1%eth0]:1"],
            tokens: [":", "[", "]", ".", "%", "+", "-", "65536"], limit: 100)
        guard let address = try? ListenAddress(parsing: text) else { return nil }
        let isSame = (try? ListenAddress(parsing: address.description)) == address
        return isSame && (0...65_535).contains(address.port) ? nil : .broken("\(text.debugDescription) is \(address)")
    }
}
