import Foundation
import NIOHTTP1
import SyncCore
import Testing

@testable import SignalWire

let sampleSubscriber = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"

/// What a good answer looks like, tokens included.
let acceptedBody =
    #"{"subscriber_id":"\#(sampleSubscriber)","token":"planted-token-eyJhbGciOi","refresh_token":"planted-refresh-eyJ"}"#

/// A whole answer as it stands on the wire.
func answer(_ status: String, _ body: String = "", headers: [String] = []) -> String {
    let lines = ["HTTP/1.1 \(status)"] + headers + ["Content-Length: \(body.utf8.count)"]
    return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
}

/// A push as the plan makes it: `fields` are set, `cleared` were told once and are blank now.
func push(
    _ reference: String = "ada@example.com", _ fields: [ProfileField: String] = [:], cleared: [ProfileField] = []
) throws -> Push {
    let digests = ProfileDigests(
        values: fields.mapValues { _ in 1 },
        empty: Dictionary(uniqueKeysWithValues: (fields.keys + cleared).map { ($0, 2) }))
    let reference = try #require(Reference(reference))
    let claim = Claim(
        user: UserKey("42"), lease: Lease(token: 1), version: 1, attempt: 1, standing: .synced,
        source: .present(reference, Profile(columns: fields), digests), admitted: reference,
        subscriber: SubscriberID(sampleSubscriber),
        told: Dictionary(uniqueKeysWithValues: cleared.map { ($0, .known(3)) }), isDoubted: true)
    guard case .push(let push) = PushPlan(for: claim, rules: PushRules()) else {
        throw FixtureError.notAPush
    }
    return push
}

enum FixtureError: Error {
    case notAPush
}

/// Settings for a server on loopback.
func settings(
    port: Int, scheme: String = "http", applicationID: String? = nil, timeout: Duration = .seconds(10),
    connections: Int = 4
) throws -> SignalWireSettings {
    SignalWireSettings(
        space: try Space(parsing: "\(scheme)://127.0.0.1:\(port)"), projectID: "project-1",
        apiToken: "planted-api-secret", applicationID: applicationID, tokenTTL: .seconds(300), timeout: timeout,
        connections: connections, version: "1.2.3")
}

/// Runs a test against a scripted server, and closes both sides whatever happens.
func withClient<Result>(
    _ server: WireServer, applicationID: String? = nil, timeout: Duration = .seconds(10), connections: Int = 4,
    _ body: (SubscriberClient) async throws -> Result
) async throws -> Result {
    let settings = try settings(
        port: server.port, applicationID: applicationID, timeout: timeout, connections: connections)
    let client = SubscriberClient(settings: settings) { 1_800_000_000 }
    do {
        let result = try await body(client)
        await client.shutdown()
        server.stop()
        return result
    } catch {
        await client.shutdown()
        server.stop()
        throw error
    }
}

/// One push to a server that gives every request the same reply.
func answerToPush(_ reply: WireServer.Reply, timeout: Duration = .seconds(10)) async throws -> PushAnswer {
    try await withClient(WireServer(replying: reply), timeout: timeout) { client in
        try await client.push(push("ada@example.com", [.firstName: "Planted-Ada"]))
    }
}

/// Waits for a condition, at most some seconds.
func eventually(within limit: Duration = .seconds(5), _ condition: () -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if condition() { return true }
        try await Task.sleep(for: .milliseconds(2))
    }
    return condition()
}

extension PushOutcome {
    /// The outcome of an answer, by the way the client takes.
    static func of(
        _ status: Int, _ body: String = "", headers: HTTPHeaders = [:], sent: [String] = [], now: Int64 = 0
    ) -> PushOutcome {
        PushOutcome(status: status, headers: headers, body: Data(body.utf8), redaction: Redaction(sent), now: now)
    }

    var problem: Problem? {
        switch self {
        case .accepted: nil
        case .rejected(let problem), .throttled(_, let problem), .unavailable(let problem, _), .account(let problem):
            problem
        }
    }
}

/// Everything that a value shows of itself to whoever prints it.
func everyPrint(of value: Any) -> String {
    var dumped = ""
    dump(value, to: &dumped)
    return [dumped, String(describing: value), String(reflecting: value)].joined(separator: "\n")
}
