import CoreMetrics
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SyncAgent
import SyncCore
import SyncStore
import Synchronization

/// `POST /webhooks/users`: an application says itself who has changed.
///
/// The order of the checks is the defence: what an outsider sends costs a few headers and one HMAC over a body of
/// bounded size, of which few are read at a time; only what is signed is parsed, counted against the rate, and brought
/// before the database.
struct WebhookEndpoint: Sendable {
    private let settings: WebhookSettings
    private let body: WebhookBody
    private let counters: [Int: Counter]
    private let logger: Logger
    private let state: WebhookState

    init(settings: WebhookSettings, registry: MetricRegistry, logger: Logger) {
        self.settings = settings
        body = WebhookBody(paths: settings.keyPaths)
        counters = Dictionary(
            uniqueKeysWithValues: WebhookAnswer.statuses.map { status in
                let label = (MetricTable.webhookStatus, String(status))
                return (status, Counter(label: MetricTable.webhook.name, dimensions: [label], factory: registry))
            })
        self.logger = logger
        state = WebhookState(rate: settings.rate)
    }

    /// How large a body may be, in bytes.
    static let largestBody = 256 * 1024
    /// How long a body may take to come, and the database to answer.
    static let bodyPatience = Duration.seconds(10)
    static let databasePatience = Duration.seconds(10)

    func answer(_ request: Request) async -> Response {
        let answer = await judge(request)
        counters[answer.status]?.increment()
        if state.isNews(answer.status) {
            logger.log(
                level: answer.status == 202 ? .info : .warning,
                answer.status == 202 ? "webhook takes messages" : "webhook refuses messages",
                metadata: ["status": "\(answer.status)", "because": "\(answer.line)"])
        }
        return answer.response
    }

    private func judge(_ request: Request) async -> WebhookAnswer {
        let headers = request.headers
        guard
            let envelope = WebhookEnvelope(
                id: headers[.webhookID], timestamp: headers[.webhookTimestamp], signatures: headers[.webhookSignature])
        else { return .unsigned }
        guard envelope.isFresh(at: Int64(Date().timeIntervalSince1970)) else { return .stale }
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > WebhookEndpoint.largestBody {
            return .tooLarge
        }
        guard state.enter() else { return .crowded }
        defer { state.leave() }
        let bytes: [UInt8]
        switch await read(request.body) {
        case .success(let read): bytes = read
        case .failure(let refusal): return refusal
        }
        guard settings.secrets.verify(envelope.signatures, of: envelope.content(bytes)) else { return .forged }
        guard state.takeTurn() else { return .tooOften }
        return await mark(bytes, message: envelope.id)
    }

    private func read(_ body: RequestBody) async -> Result<[UInt8], WebhookAnswer> {
        let read = await within(WebhookEndpoint.bodyPatience) { () -> Result<[UInt8], WebhookAnswer> in
            do {
                let buffer = try await body.collect(upTo: WebhookEndpoint.largestBody)
                return .success(Array(buffer.readableBytesView))
            } catch is NIOTooManyBytesError {
                return .failure(.tooLarge)
            } catch {
                return .failure(.cut)
            }
        }
        return read ?? .failure(.cut)
    }

    private func mark(_ bytes: [UInt8], message: String) async -> WebhookAnswer {
        let keys: [UserKey]
        do {
            keys = try body.keys(in: bytes)
        } catch {
            return WebhookAnswer(error)
        }
        let receipt = await within(WebhookEndpoint.databasePatience) { try? await settings.mark(keys, message) }
        switch receipt ?? nil {
        case .marked, .replayed: return .taken
        case .invalidKey: return .invalidKey
        case nil: return .unavailable
        }
    }
}

/// What the webhook is told once.
public struct WebhookSettings: Sendable {
    let secrets: WebhookSecrets
    let keyPaths: [KeyPath]
    /// Messages a second that this agent takes.
    let rate: Double
    let mark: @Sendable ([UserKey], String) async throws(StoreError) -> MessageReceipt

    public init(
        secrets: WebhookSecrets, keyPaths: [KeyPath], rate: Double,
        mark: @escaping @Sendable ([UserKey], String) async throws(StoreError) -> MessageReceipt
    ) {
        self.secrets = secrets
        self.keyPaths = keyPaths
        self.rate = rate
        self.mark = mark
    }
}

extension HTTPField.Name {
    fileprivate static let webhookID = HTTPField.Name("webhook-id") ?? .expect
    fileprivate static let webhookTimestamp = HTTPField.Name("webhook-timestamp") ?? .expect
    fileprivate static let webhookSignature = HTTPField.Name("webhook-signature") ?? .expect
}

/// What is counted between requests.
private final class WebhookState: Sendable {
    private struct Figures {
        /// Bodies being read or brought before the database.
        var inside = 0
        var pace: Pace
        var lastStatus = 202
    }

    private static let mostInside = 16
    private let figures: Mutex<Figures>
    private let origin = ContinuousClock.now

    init(rate: Double) { figures = Mutex(Figures(pace: Pace(rate: rate))) }

    func enter() -> Bool {
        figures.withLock { figures in
            guard figures.inside < WebhookState.mostInside else { return false }
            figures.inside += 1
            return true
        }
    }

    func leave() { figures.withLock { $0.inside -= 1 } }

    func takeTurn() -> Bool {
        let now = Instant(nanoseconds: (ContinuousClock.now - origin).nanoseconds)
        return figures.withLock { $0.pace.take(at: now) }
    }

    /// Whether the one before ended otherwise.
    func isNews(_ status: Int) -> Bool {
        figures.withLock { figures in
            defer { figures.lastStatus = status }
            return figures.lastStatus != status
        }
    }
}

/// Runs work, and gives up on it after a while: it is cancelled then.
private func within<Value: Sendable>(
    _ patience: Duration, _ work: @escaping @Sendable () async -> Value
) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
        group.addTask { await work() }
        group.addTask {
            try? await Task.sleep(for: patience)
            return nil
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first
    }
}
