import SyncCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Colours, where they are wanted: on a terminal that has them, and not where `NO_COLOR` is set (no-color.org).
struct Paint: Sendable {
    let isOn: Bool

    static var ofOut: Paint { Paint(isOn: Terminal.isOutTerminal && Paint.isWelcome) }

    private static var isWelcome: Bool {
        let value = { (name: String) in getenv(name).map { String(cString: $0) } ?? "" }
        return value("NO_COLOR").isEmpty && !["", "dumb"].contains(value("TERM"))
    }

    func verdict(_ verdict: Check.Verdict, _ text: String) -> String {
        switch verdict {
        case .ok: green(text)
        case .skipped: dim(text)
        case .warn: yellow(text)
        case .fail: red(text)
        }
    }

    func green(_ text: String) -> String { colored(text, "32") }
    func yellow(_ text: String) -> String { colored(text, "33") }
    func red(_ text: String) -> String { colored(text, "31") }
    func bold(_ text: String) -> String { colored(text, "1") }
    func dim(_ text: String) -> String { colored(text, "2") }

    private func colored(_ text: String, _ code: String) -> String {
        isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
