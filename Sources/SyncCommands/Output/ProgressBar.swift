/// A bar that redraws in place on a terminal, and is silent elsewhere.
struct ProgressBar {
    let total: Int
    private let isDrawn: Bool
    private let startedAt = ContinuousClock.now

    init(total: Int) {
        self.total = total
        isDrawn = Terminal.isErrTerminal
    }

    func draw(done: Int) {
        guard isDrawn, total > 0, done >= 0 else { return }
        Terminal.err("\r" + line(done: done, elapsed: seconds, width: Terminal.width) + "\u{1B}[K")
    }

    /// Leaves the line, so that what follows starts on a fresh one.
    func end() {
        if isDrawn, total > 0 { Terminal.err("\n") }
    }

    /// `[#####.....]  50 %  10,000 of 20,000  about 12 s left`
    func line(done: Int, elapsed: Double, width: Int) -> String {
        var left = ""
        if done > 0, done < total, elapsed > 1 {
            left = "  about \(spoken(seconds: elapsed * Double(total - done) / Double(done))) left"
        }
        return ProgressBar.line(done: done, of: total, left: left, width: width)
    }

    /// - Parameter left: what is said of the time that it still takes.
    static func line(done: Int, of total: Int, left: String, width: Int) -> String {
        let done = min(max(done, 0), total)
        let share = Double(done) / Double(max(total, 1))
        let tail = "  \(Int(share * 100)) %  \(done) of \(total)" + left
        let room = max(10, min(40, width - tail.count - 3))
        let filled = Int(share * Double(room))
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: room - filled) + "]" + tail
    }

    private var seconds: Double {
        let elapsed = ContinuousClock.now - startedAt
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    }
}
