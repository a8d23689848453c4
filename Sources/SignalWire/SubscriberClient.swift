import FoundationEssentials
import SyncCore

/// The one door to SignalWire: a push goes in, an answer comes out. Safe to use from many tasks.
///
/// A call never fails by throwing: whatever the network or SignalWire do is an outcome. Only the
/// cancellation of the calling task is thrown.
public final class SubscriberClient: Sendable {
    private static let tokensPath = "/api/fabric/subscribers/tokens"
    private static let probePath = "/api/fabric/resources/subscribers?page_size=1"

    private let settings: SignalWireSettings
    private let door: Door
    private let unixSeconds: @Sendable () -> Int64

    public convenience init(settings: SignalWireSettings) {
        self.init(settings: settings) { Int64(Date().timeIntervalSince1970) }
    }

    /// - Parameter unixSeconds: the wall clock. SignalWire compares `expire_at` with its own.
    init(settings: SignalWireSettings, unixSeconds: @escaping @Sendable () -> Int64) {
        self.settings = settings
        self.unixSeconds = unixSeconds
        door = Door(settings: settings)
    }

    /// A client that nobody shut down closes its connections behind itself.
    deinit {
        let door = door
        Task { await door.close() }
    }

    /// Tells SignalWire about one user. The token that this mints is dropped unread.
    public func push(_ push: Push) async throws(CancellationError) -> PushAnswer {
        let request = TokenRequest(
            push, expireAt: expiry(after: settings.tokenTTL), applicationID: settings.applicationID)
        let call = try await send(request)
        return answer(call)
    }

    /// Mints a token that somebody asked for. An unknown reference becomes a subscriber, which is billed.
    ///
    /// - Parameter lifetime: from now on; SignalWire refuses a token that has expired already.
    public func mintToken(
        for reference: Reference, lifetime: Duration
    ) async throws(CancellationError) -> MintedToken.Result {
        let expiresAt = expiry(after: lifetime)
        let request = TokenRequest(
            reference: reference, expireAt: expiresAt, applicationID: settings.applicationID)
        let call = try await send(request)
        guard case .answered(let head, let body) = call.exchange, (200..<300).contains(head.status) else {
            return .refused(answer(call))
        }
        guard let token = MintedToken(body: body, expiresAt: expiresAt) else {
            return .refused(answer(call, outcome: .unavailable(.tokenlessAnswer, .answered)))
        }
        return .minted(token)
    }

    /// Asks for one subscriber of the list: proves address, credentials and scope, and changes nothing.
    public func probe() async throws(CancellationError) -> ProbeAnswer {
        let start = ContinuousClock.now
        let exchange = try await door.get(Self.probePath)
        let call = Call(exchange: exchange, duration: ContinuousClock.now - start, sent: [])
        guard case .answered(let head, _) = exchange, (200..<300).contains(head.status) else {
            return .refused(answer(call))
        }
        let time = head.unixSeconds(now: unixSeconds())
        return .passed(httpStatus: head.status, requestID: head.requestID, duration: call.duration, unixSeconds: time)
    }

    /// Reads one page of the list of all subscribers. Changes nothing.
    ///
    /// - Parameter cursor: what the page before led to; `nil`: the first page.
    public func page(at cursor: ListCursor?) async throws(CancellationError) -> ListAnswer {
        let start = ContinuousClock.now
        let exchange = try await door.get((cursor ?? .first).path, limit: Door.listLimitInBytes)
        let call = Call(exchange: exchange, duration: ContinuousClock.now - start, sent: [])
        guard case .answered(let head, let body) = exchange, (200..<300).contains(head.status) else {
            return .refused(answer(call))
        }
        do {
            return .page(try SubscriberPage(body, of: settings.space))
        } catch {
            return .refused(answer(call, outcome: error.outcome))
        }
    }

    /// Closes all connections. What is in flight fails, and so does every later call (`client_closed`).
    public func shutdown() async { await door.close() }

    /// One finished request, and what is needed to judge it.
    private struct Call {
        let exchange: Exchange
        let duration: Duration
        let sent: [String]
    }

    private func send(_ request: TokenRequest) async throws(CancellationError) -> Call {
        let start = ContinuousClock.now
        let exchange = try await door.post(Self.tokensPath, request.body)
        return Call(exchange: exchange, duration: ContinuousClock.now - start, sent: request.sentValues)
    }

    private func answer(_ call: Call, outcome: PushOutcome? = nil) -> PushAnswer {
        PushAnswer(
            outcome: outcome ?? call.exchange.outcome(redaction: redaction(call.sent), now: unixSeconds()),
            httpStatus: call.exchange.head?.status, requestID: call.exchange.head?.requestID,
            duration: call.duration)
    }

    /// Everything that left this machine with a request, credentials included.
    private func redaction(_ sent: [String]) -> Redaction {
        Redaction(sent + [settings.apiToken, settings.projectID, settings.basicCredentials])
    }

    /// Whole seconds, rounded up, so that the shortest lifetime still lies ahead.
    private func expiry(after lifetime: Duration) -> Int64 {
        unixSeconds() + (lifetime.millisecondsRoundedUp + 999) / 1000
    }
}

/// What came of a probe.
public enum ProbeAnswer: Sendable, Hashable {
    /// `unixSeconds` is SignalWire's clock, where the answer has a date.
    case passed(httpStatus: Int, requestID: String?, duration: Duration, unixSeconds: Int64?)
    /// The same answer that a push would have met; never `accepted`.
    case refused(PushAnswer)
}
