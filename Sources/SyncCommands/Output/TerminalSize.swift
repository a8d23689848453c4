#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How much fits on the terminal.
struct TerminalSize: Sendable, Hashable {
    var columns: Int
    var rows: Int

    /// What terminals have had for fifty years, and what there is to go by without one.
    static let usual = TerminalSize(columns: 80, rows: 24)

    /// Of the terminal behind stdout, now: people resize windows.
    static var ofOut: TerminalSize {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return usual }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }
}
