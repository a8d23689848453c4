/// A line that says how far something is whose end isn't known: redrawn in place on a terminal, silent elsewhere.
struct Ticker {
    private let isDrawn = Terminal.isErrTerminal
    private var drawnAt: ContinuousClock.Instant?

    /// Draws at most ten times a second.
    mutating func show(_ text: String) {
        let now = ContinuousClock.now
        guard isDrawn, drawnAt.map({ now - $0 >= .milliseconds(100) }) ?? true else { return }
        drawnAt = now
        Terminal.err("\r\(text)\u{1B}[K")
    }

    /// Takes the line away.
    func end() {
        if drawnAt != nil { Terminal.err("\r\u{1B}[K") }
    }
}
