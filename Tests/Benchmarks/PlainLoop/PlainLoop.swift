import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The plain loop that the agent is measured beside: the same HTTP client with the same settings sends the same bodies,
/// each task one after the other, waits for each answer and reads it. It looks nothing up and records nothing.
///
///     PlainLoop URL FILE TASKS
///
/// The file has a body a line. It prints how many were sent and how many seconds that took, connecting included.
@main
struct PlainLoop {
    let client: HTTPClient
    let url: String
    let headers: HTTPHeaders = [
        "authorization": "Basic YmVuY2g6YmVuY2g=", "accept": "application/json", "user-agent": "plain-loop",
        "content-type": "application/json",
    ]

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let tasks = Int(arguments[3]) else { throw Refusal.usage }
        let file = try Data(contentsOf: URL(fileURLWithPath: arguments[2]))
        let bodies = file.split(separator: UInt8(ascii: "\n")).map { ByteBuffer(bytes: $0) }
        let loop = PlainLoop(client: client(connections: tasks), url: arguments[1])
        let began = ContinuousClock.now
        try await loop.send(bodies, tasks: tasks)
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        print(bodies.count, seconds)
        try await loop.client.shutdown()
    }

    enum Refusal: Error {
        case usage
        case status(UInt)
    }

    /// As `Sources/SignalWire/Door.swift` has it.
    static func client(connections: Int) -> HTTPClient {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        configuration.tracing.tracer = nil
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func send(_ bodies: [ByteBuffer], tasks: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for first in 0..<tasks {
                group.addTask {
                    for index in stride(from: first, to: bodies.count, by: tasks) { try await send(bodies[index]) }
                }
            }
            try await group.waitForAll()
        }
    }

    func send(_ body: ByteBuffer) async throws {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = headers
        request.body = .bytes(body)
        let response = try await client.execute(request, timeout: .seconds(15))
        guard response.status == .ok else { throw Refusal.status(response.status.code) }
        _ = try await response.body.collect(upTo: 65_536)
    }
}
