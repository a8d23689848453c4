import NIOHTTP1

/// How long an answer asks us to wait (RFC 9110, 10.2.3).
enum RetryAfter {
    /// Nobody is believed who asks for more: a slip in a header must not stop a fleet for a day.
    static let limitInSeconds: Int64 = 3600

    /// The wait, from nothing up to an hour, or `nil` where no usable header came.
    ///
    /// A date is measured against the answer's own `Date`, so that a wrong clock on this side
    /// doesn't matter; against ours where there is none.
    ///
    /// - Parameter now: unix seconds by the clock of this machine.
    static func duration(in headers: HTTPHeaders, now: Int64) -> Duration? {
        guard let text = headers.first(name: "retry-after")?.trimmed, !text.isEmpty else { return nil }
        if text.utf8.allSatisfy(\.isDigit) {
            return bounded(Int64(text) ?? limitInSeconds)
        }
        guard let until = HTTPDate(text, now: now) else { return nil }
        let sent = headers.first(name: "date").flatMap { HTTPDate($0.trimmed, now: now) }
        return bounded(until.unixSeconds - (sent?.unixSeconds ?? now))
    }

    private static func bounded(_ seconds: Int64) -> Duration {
        .seconds(min(max(seconds, 0), limitInSeconds))
    }
}
