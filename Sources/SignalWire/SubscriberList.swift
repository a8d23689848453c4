import SyncCore

/// SignalWire's whole list of subscribers, a page at a time, with patience.
///
/// A page that gets no usable answer is asked for again, as often as the patience says; what SignalWire throttles
/// waits as long as it asks for. Pages follow each other by the links in the answers, so whoever comes or goes
/// meanwhile may be missed or met twice.
public struct SubscriberList: Sendable {
    /// How long a page is asked for.
    public struct Patience: Sendable {
        /// Answers of one page that may be unusable, or ask to wait, before it is given up.
        public var attempts: Int
        /// How long is waited after each, where the answer doesn't say.
        public var backoff: Backoff
        /// Pages at most: a list that goes round in circles must end.
        public var pages: Int

        public init(
            attempts: Int = 8, backoff: Backoff = Backoff(base: .milliseconds(500), cap: .seconds(30)),
            pages: Int = 1_000_000
        ) {
            self.attempts = attempts
            self.backoff = backoff
            self.pages = pages
        }
    }

    /// Why the list ends before its end.
    public enum Failure: Error, Sendable, Hashable {
        case refused(PushAnswer)
        case cancelled
    }

    private let client: SubscriberClient
    private let patience: Patience
    private var random = SeededRandom(seed: .random(in: .min ... .max))
    private var cursor: ListCursor?
    private var visited: Set<ListCursor> = [.first]
    private var isOver = false

    public init(of client: SubscriberClient, patience: Patience = Patience()) {
        self.client = client
        self.patience = patience
    }

    /// The next page; `nil` behind the last one.
    public mutating func next() async throws(Failure) -> SubscriberPage? {
        guard !isOver else { return nil }
        let page = try await page()
        cursor = page.next
        isOver = page.next == nil
        if let next = page.next, !visited.insert(next).inserted || visited.count > patience.pages {
            throw .refused(PushAnswer(outcome: .rejected(.endlessList)))
        }
        return page
    }

    private mutating func page() async throws(Failure) -> SubscriberPage {
        var failures = 0
        while true {
            switch try await ask() {
            case .page(let page): return page
            case .refused(let answer):
                failures += 1
                let backoff = patience.backoff.delay(afterFailures: failures, using: &random)
                guard failures < patience.attempts, let wait = answer.outcome.wait(otherwise: backoff) else {
                    throw .refused(answer)
                }
                do { try await Task.sleep(for: wait, clock: .continuous) } catch { throw .cancelled }
            }
        }
    }

    private func ask() async throws(Failure) -> ListAnswer {
        do { return try await client.page(at: cursor) } catch { throw .cancelled }
    }
}

extension PushOutcome {
    /// How long to wait before the same is asked again; `nil`: it would be answered the same.
    fileprivate func wait(otherwise backoff: Duration) -> Duration? {
        switch self {
        case .throttled(let wait, _): wait ?? backoff
        case .unavailable: backoff
        case .accepted, .rejected, .account: nil
        }
    }
}

extension Problem {
    fileprivate static let endlessList = Problem(
        code: "endless_list", message: "SignalWire's list of subscribers leads back to a page that was read already.")
}
