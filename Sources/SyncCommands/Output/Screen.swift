#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A whole terminal that is drawn on, and given back as it was.
///
/// It is the terminal's second screen, so what stood there before is there again afterwards. A frame is one write:
/// each line is overwritten in place and cleared behind its end, so nothing is ever empty for a moment, and terminals
/// that can show it at once are asked to (the synchronized output of many, mode 2026).
struct Screen {
    /// How the terminal treated keys before; `nil` where stdin is none.
    private var keysBefore: termios?

    /// Takes the terminal.
    init() {
        keysBefore = Screen.takeKeys()
        // The second screen; no cursor; lines that are too long end at the edge.
        Terminal.out("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l")
    }

    /// Draws a frame over the last one.
    func draw(_ lines: [String]) { Terminal.out(Screen.frame(lines)) }

    /// Gives the terminal back.
    func leave() {
        Terminal.out("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        if var keysBefore { tcsetattr(STDIN_FILENO, TCSANOW, &keysBefore) }
    }

    /// The keys that were pressed since the last time, without waiting for one.
    func keys() -> [UInt8] {
        guard keysBefore != nil else { return [] }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        return count > 0 ? Array(bytes.prefix(count)) : []
    }

    /// What is written for a frame: home, each line cleared to its end, and everything below cleared.
    static func frame(_ lines: [String]) -> String {
        "\u{1B}[?2026h\u{1B}[H" + lines.joined(separator: "\u{1B}[K\r\n") + "\u{1B}[K\u{1B}[J\u{1B}[?2026l"
    }

    /// Keys are neither shown nor waited for; Ctrl-C stays a signal, and Ctrl-Z, after which nobody would give the
    /// terminal back, is none.
    private static func takeKeys() -> termios? {
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return nil }
        let before = mode
        mode.c_lflag &= ~tcflag_t(ECHO | ICANON)
        withUnsafeMutableBytes(of: &mode.c_cc) { codes in
            codes[Int(VMIN)] = 0
            codes[Int(VTIME)] = 0
            codes[Int(VSUSP)] = 0
        }
        guard tcsetattr(STDIN_FILENO, TCSANOW, &mode) == 0 else { return nil }
        return before
    }
}
