import SyncStore

/// One picture of `status --watch`: what fits on the screen, the most important first.
struct StatusFrame: Sendable {
    /// The last that was read; `nil`: nothing yet.
    let status: FleetStatus?
    /// Why it could not be read this time.
    let trouble: String?
    /// When it was looked, for eyes.
    let time: String
    /// The most that has waited since the watching began, for the bar.
    let most: Int
    let size: TerminalSize
    let paint: Paint

    /// As many lines as there is room for.
    var lines: [String] {
        var lines = [title, ""]
        if let trouble { lines += [paint.red(fitted("database  " + trouble)), ""] }
        if let status {
            lines += health(of: status) + [""] + bars(of: status) + [""] + flow(of: status)
        } else if trouble == nil {
            lines.append("asking …")
        }
        guard lines.count > size.rows else { return lines }
        return lines.prefix(size.rows - 1) + [paint.dim("…")]
    }

    private var title: String {
        let (left, right) = ("subscriber-sync status", "\(time)   q quits")
        let gap = size.columns - left.count - right.count
        return gap < 1 ? fitted(left) : paint.bold(left) + String(repeating: " ", count: gap) + paint.dim(right)
    }

    /// A concern may be long, and is what matters: it goes on in the next line, up to three.
    private func health(of status: FleetStatus) -> [String] {
        let agents = fitted("agents   " + status.agentText)
        guard let concern = status.concern else { return [paint.green("health   ok"), agents] }
        let words = StatusFrame.wrapped(concern, width: size.columns - 9, lines: 3)
        let marked = words.enumerated().map { ($0 == 0 ? "health   " : "         ") + $1 }
        return marked.map(paint.yellow) + [agents]
    }

    /// A line for each status that anybody has, as long as its share.
    private func bars(of status: FleetStatus) -> [String] {
        let shown = status.users.filter { $0.count > 0 }
        let numbers = shown.map { String($0.count) } + [String(status.total)]
        let width = numbers.map(\.count).max() ?? 1
        let label = 12
        let room = max(0, size.columns - label - width - 2)
        let rows = shown.map { name, count in
            let share = Double(count) / Double(max(status.total, 1))
            let bar = String(repeating: "#", count: max(1, Int(share * Double(room))))
            return padded(name, label) + right(String(count), width) + "  " + tinted(name, fitted(bar, room))
        }
        return rows + [padded("users", label) + right(String(status.total), width)]
    }

    private func flow(of status: FleetStatus) -> [String] {
        let waiting = status.waiting
        let done = most - waiting
        var progress: [String] = []
        if waiting > 0, most > 0 {
            let left = status.backlogSeconds.map { "  about \(spoken(seconds: $0)) left" } ?? ""
            progress = ["  " + ProgressBar.line(done: done, of: most, left: left, width: size.columns - 2), ""]
        }
        let pairs = Table.pairs(status.flow).split(separator: "\n").map { fitted(String($0)) }
        return progress + pairs
    }

    private func tinted(_ status: String, _ text: String) -> String {
        switch status {
        case "synced": paint.green(text)
        case "rejected", "held": paint.red(text)
        case "retrying": paint.yellow(text)
        case _: paint.dim(text)
        }
    }

    private func fitted(_ text: String) -> String { fitted(text, size.columns) }

    private func fitted(_ text: String, _ width: Int) -> String {
        let text = Table.printable(text)
        return text.count <= width ? text : String(text.prefix(max(0, width - 1))) + "…"
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// Breaks a sentence at blanks.
    static func wrapped(_ text: String, width: Int, lines: Int) -> [String] {
        var result = [""]
        for word in Table.printable(text).split(separator: " ") {
            let last = result[result.count - 1]
            if last.isEmpty {
                result[result.count - 1] = String(word.prefix(width))
            } else if last.count + 1 + word.count <= width {
                result[result.count - 1] = last + " " + word
            } else if result.count < lines {
                result.append(String(word.prefix(width)))
            } else {
                result[result.count - 1] = last.prefix(max(0, width - 1)) + "…"
                break
            }
        }
        return result
    }
}

extension FleetStatus {
    /// Who isn't at rest: changes that nobody has looked at, and users that are due or in hand.
    var waiting: Int { changeBacklog + count(of: "pending") + count(of: "in_flight") + count(of: "retrying") }
}
