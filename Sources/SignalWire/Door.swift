import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import SyncCore

/// The connections to SignalWire: sends one request, reads one answer, within one deadline.
///
/// HTTP/1.1 over kept connections. Redirects are not followed. No request is ever sent twice here:
/// the library repeats neither a request nor a failed connecting, so one that meets a connection which
/// the server was just closing ends as `connection_reset`, and the caller's backoff repeats it.
struct Door: Sendable {
    /// More of an answer is not read, unless it is a list.
    static let bodyLimitInBytes = 65_536
    /// More of a page of the list is not read: a hundred subscribers, each with forty kilobytes.
    static let listLimitInBytes = 4_194_304
    /// A kept connection is given up before common servers and balancers do it (60 s and more).
    private static let idleTime = TimeAmount.seconds(30)
    /// The library's own deadline ends with the headers of an answer, so ours decides; this lies behind it.
    private static let backstop = TimeAmount.hours(24)

    private let client: HTTPClient
    private let settings: SignalWireSettings
    private let headers: HTTPHeaders
    private let deadlines: CallDeadlines

    init(settings: SignalWireSettings) {
        self.settings = settings
        deadlines = CallDeadlines(timeout: settings.timeout)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: Self.configuration(for: settings))
        headers = [
            "authorization": "Basic \(settings.basicCredentials)",
            "accept": "application/json",
            "user-agent": "subscriber-sync/\(settings.version)",
        ]
    }

    /// Posts a JSON object. Throws only if the calling task was cancelled.
    func post(_ path: String, _ json: [UInt8]) async throws(CancellationError) -> Exchange {
        var request = request(.POST, path)
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: json))
        return try await send(request)
    }

    /// - Parameter limit: more of the answer is not read, in bytes.
    func get(_ path: String, limit: Int = bodyLimitInBytes) async throws(CancellationError) -> Exchange {
        try await send(request(.GET, path), limit)
    }

    /// Closes all connections; what is in flight fails.
    func close() async {
        try? await client.shutdown()
    }

    private func request(_ method: HTTPMethod, _ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: settings.space.baseURL + path)
        request.method = method
        request.headers = headers
        return request
    }

    /// The call is a task of its own, so that its deadline can end it, and is always waited for.
    ///
    /// Cancellation is looked at before, too: the library hears of it a moment after it has begun to send.
    private func send(
        _ request: HTTPClientRequest, _ limit: Int = bodyLimitInBytes
    ) async throws(CancellationError) -> Exchange {
        guard !Task.isCancelled else { throw CancellationError() }
        let call = Task { await perform(request, limit) }
        let watched = deadlines.watch { call.cancel() }
        let exchange = await withTaskCancellationHandler {
            await call.value
        } onCancel: {
            call.cancel()
        }
        let isOverdue = deadlines.release(watched)
        guard !Task.isCancelled else { throw CancellationError() }
        return isOverdue ? exchange.afterDeadline : exchange
    }

    private func perform(_ request: HTTPClientRequest, _ limit: Int) async -> Exchange {
        var head: Exchange.Head?
        do {
            let response = try await client.execute(request, deadline: .now() + Self.backstop)
            let begun = Exchange.Head(status: Int(response.status.code), headers: response.headers)
            head = begun
            let body = try await response.body.collect(upTo: limit)
            return .answered(begun, Data(body.readableBytesView))
        } catch {
            return .failed(TransportFailure(error, hasHead: head != nil), head)
        }
    }

    private static func configuration(for settings: SignalWireSettings) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        // Nobody collects traces here, and making them for nobody costs a few microseconds.
        configuration.tracing.tracer = nil
        // Two thirds of the whole, so that a host that can't be reached is told from one that doesn't answer.
        let connect = min(settings.timeout.nanoseconds / 3 * 2, TimeAmount.seconds(10).nanoseconds)
        configuration.timeout.connect = .nanoseconds(connect)
        configuration.connectionPool.idleTimeout = idleTime
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(settings.connections, 1)
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}

extension SignalWireSettings {
    /// What HTTP Basic sends (RFC 7617): a secret, as good as the token itself.
    var basicCredentials: String { Data("\(projectID):\(apiToken)".utf8).base64EncodedString() }
}
