import Foundation
import Testing

@testable import SignalWireSandbox

/// What became of one request, seen from the client's socket.
enum Reply: Equatable {
    case answer(Received)
    /// The connection ended in order before the whole answer had come; what had come of the body.
    case cut(body: String)
    /// The connection was reset.
    case reset
    /// Nothing came within the client's patience.
    case silence
}

/// One answer as it came over the wire.
struct Received: Equatable {
    let status: Int
    /// By name in lower case.
    let headers: [String: String]
    let body: String

    /// The body as JSON.
    var json: JSONValue { JSONValue.parse(Data(body.utf8)) ?? .null }
    /// The `code` and `attribute` of each error.
    var errors: [String] {
        (json["errors"]?.elements ?? []).map { "\($0["attribute"]?.text ?? "-"):\($0["code"]?.text ?? "-")" }
    }
}

extension JSONValue {
    subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }

    /// The keys of an object, sorted.
    var keys: [String] {
        if case .object(let members) = self { members.keys.sorted() } else { [] }
    }
}

/// A client that sends exactly what it is told, so that wrong requests can be sent too.
struct SandboxClient: Sendable {
    let port: Int
    var authorization: String? = basic("project", "token")
    var contentType: String? = "application/json"
    /// After so many seconds the client closes the connection; 0: as soon as it has sent its request.
    var patience = 20.0

    static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    /// Sends a request and requires an answer to it.
    func answer(_ method: String, _ path: String, _ body: String? = nil) async throws -> Received {
        guard case .answer(let received) = try await send(method, path, body) else {
            throw ClientError(call: "no answer to \(method) \(path)")
        }
        return received
    }

    /// Mints a token and returns the answer.
    func mint(_ body: String) async throws -> Received {
        try await answer("POST", Route.tokensPath, body)
    }

    /// Sends a request on a connection of its own.
    func send(_ method: String, _ path: String, _ body: String? = nil) async throws -> Reply {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
        if let authorization { head += "Authorization: \(authorization)\r\n" }
        if let contentType, body != nil { head += "Content-Type: \(contentType)\r\n" }
        if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
        let bytes = Array((head + "\r\n" + (body ?? "")).utf8)
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try exchange(bytes) }) }
        }
    }

    private func exchange(_ bytes: [UInt8]) throws -> Reply {
        let socket = try TCPSocket(port: port, patience: patience)
        defer { socket.close() }
        socket.write(bytes)
        guard patience > 0 else { return .silence }
        var received: [UInt8] = []
        while true {
            switch socket.read() {
            case .bytes(let more): received += more
            case .end: return reply(received) ?? .cut(body: bodyText(received))
            case .reset: return .reset
            case .timeout: return .silence
            }
            if let reply = reply(received) { return reply }
        }
    }

    /// The answer, once it is whole.
    private func reply(_ bytes: [UInt8]) -> Reply? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let pairs = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (line[..<colon].lowercased(), line[colon...].dropFirst().trimmingCharacters(in: .whitespaces))
        }
        let headers = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        let body = String(text[end.upperBound...])
        let status = lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
        guard body.utf8.count >= Int(headers["content-length"] ?? "0") ?? 0 else { return nil }
        return .answer(Received(status: status, headers: headers, body: body))
    }

    private func bodyText(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? ""
    }
}

struct ClientError: Error {
    let call: String
}

/// A blocking socket to 127.0.0.1, used on a thread of its own.
struct TCPSocket {
    enum Reading {
        case bytes([UInt8]), end, reset, timeout
    }

    private let descriptor: Int32

    init(port: Int, patience: Double) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: Int(patience), tv_usec: Int(patience.truncatingRemainder(dividingBy: 1) * 1e6))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close()
            throw ClientError(call: "connect")
        }
    }

    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    func read() -> Reading {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        if count == 0 { return .end }
        return errno == ECONNRESET ? .reset : .timeout
    }

    func close() {
        _ = Foundation.close(descriptor)
    }
}

/// Runs a test against a sandbox of its own, which is stopped afterwards.
func withSandbox(
    _ options: SandboxOptions = SandboxOptions(), _ test: (Sandbox, SandboxClient) async throws -> Void
) async throws {
    let sandbox = try await Sandbox.start(options)
    do {
        try await test(sandbox, SandboxClient(port: sandbox.port))
    } catch {
        await sandbox.stop()
        throw error
    }
    await sandbox.stop()
}

/// Waits until something is so, for at most ten seconds; whether it came to be.
func eventually(_ isSo: () -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(10)
    while !isSo() {
        if ContinuousClock.now > deadline { return false }
        try await Task.sleep(for: .milliseconds(5))
    }
    return true
}
