import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes each log record as one line to stderr: `key=value` text, or one JSON object.
struct LineLogHandler: LogHandler {
    enum Format: String, Sendable, CaseIterable {
        case text
        case json
    }

    let format: Format
    /// What holds for every logger that has no level of its own.
    private let threshold: LogThreshold
    private var own: Logger.Level?
    var metadata: Logger.Metadata = [:]

    init(format: Format, threshold: LogThreshold) {
        self.format = format
        self.threshold = threshold
    }

    var logLevel: Logger.Level {
        get { own ?? threshold.level }
        set { own = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
        let pairs = all.map { ($0.key, "\($0.value)") }
        Terminal.err(line(level: event.level, message: "\(event.message)", pairs: pairs, at: Timestamp.now()))
    }

    /// `2026-11-24T10:00:00.123Z info agent started agent=…`
    func line(level: Logger.Level, message: String, pairs: [(String, String)], at time: String) -> String {
        switch format {
        case .text:
            let tail = pairs.map { " \($0)=\(quoted($1))" }.joined()
            return "\(time) \(level.rawValue) \(Table.printable(message))\(tail)\n"
        case .json:
            let head: [(String, JSON)] = [
                ("time", .string(time)), ("level", .string(level.rawValue)), ("message", .string(message)),
            ]
            return JSON.object(head + pairs.map { ($0, .string($1)) }).text + "\n"
        }
    }

    private func quoted(_ value: String) -> String {
        let isPlain = !value.isEmpty && value.allSatisfy { !$0.isWhitespace && $0 != "\"" && $0 != "=" }
        return isPlain ? Table.printable(value) : JSON.string(value).text
    }
}

/// The wall clock as RFC 3339 in UTC with milliseconds: for the eyes of people, never for a decision.
enum Timestamp {
    static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
        let clock = [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)]
        return date.map(padded).joined(separator: "-") + "T" + clock.map(padded).joined(separator: ":")
            + "." + String(String(1000 + time.tv_nsec / 1_000_000).dropFirst()) + "Z"
    }

    /// The same, to the second.
    static func seconds() -> String { String(now().prefix(19)) + "Z" }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
