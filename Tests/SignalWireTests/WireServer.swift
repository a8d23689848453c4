import Foundation
import Glibc
import Synchronization

/// A TCP server on loopback that speaks bytes, not HTTP: it can answer in every way a server shouldn't.
///
/// One thread a connection, blocking reads, a script that says what follows on each request.
final class WireServer: Sendable {
    /// What follows on a request that has come in whole.
    enum Reply: Sendable {
        /// The connection stays open for the next request.
        case bytes(String)
        case bytesThenClose(String)
        case bytesThenReset(String)
        case reset
        case close
        /// Nothing, until the other side hangs up.
        case hang
    }

    private struct State {
        var requests: [String] = []
        var open: Set<Int32> = []
        var accepted = 0
        var peak = 0
        var isStopped = false
    }

    let port: Int
    private let listener: Int32
    private let resetsAtOnce: Bool
    private let greeting: String?
    private let script: @Sendable (Int) -> Reply
    private let state = Mutex(State())

    /// - Parameters:
    ///   - resetsAtOnce: resets each connection before reading from it.
    ///   - greeting: what is sent before anything was read.
    ///   - script: the reply to the n-th request, counted from 0 over all connections.
    init(resetsAtOnce: Bool = false, greeting: String? = nil, script: @escaping @Sendable (Int) -> Reply) throws {
        (listener, port) = try Self.listen()
        self.resetsAtOnce = resetsAtOnce
        self.greeting = greeting
        self.script = script
        Thread.detachNewThread { self.acceptAll() }
    }

    convenience init(replying reply: Reply) throws { try self.init { _ in reply } }

    /// Each request as it came in, head and body.
    var requests: [String] { state.withLock(\.requests) }
    /// Connections so far.
    var accepted: Int { state.withLock(\.accepted) }
    /// The most connections that were open at once.
    var peak: Int { state.withLock(\.peak) }
    var openConnections: Int { state.withLock { $0.open.count } }

    /// Closes everything. The threads see it and end.
    func stop() {
        let open = state.withLock { state in
            state.isStopped = true
            return state.open
        }
        shutdown(listener, Int32(SHUT_RDWR))
        for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// A port of loopback on which nobody listens.
    static func deafPort() throws -> Int {
        let (descriptor, port) = try listen()
        close(descriptor)
        return port
    }

    private static func listen() throws -> (Int32, Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && Glibc.listen(descriptor, 128) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isReady else { throw POSIXError(.EADDRNOTAVAIL) }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    private func acceptAll() {
        while true {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { break }
            guard register(descriptor) else {
                Glibc.close(descriptor)
                break
            }
            Thread.detachNewThread { self.serve(descriptor) }
        }
        Glibc.close(listener)
    }

    private func register(_ descriptor: Int32) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.open.insert(descriptor)
            state.accepted += 1
            state.peak = max(state.peak, state.open.count)
            return true
        }
    }

    private func serve(_ descriptor: Int32) {
        if resetsAtOnce {
            Self.makeResetOnClose(descriptor)
        } else {
            if let greeting { _ = Self.write(greeting, to: descriptor) }
            while let request = Self.readRequest(descriptor), reply(to: request, on: descriptor) {}
        }
        state.withLock { _ = $0.open.remove(descriptor) }
        Glibc.close(descriptor)
    }

    /// - Returns: whether the connection goes on.
    private func reply(to request: String, on descriptor: Int32) -> Bool {
        let index = state.withLock { state in
            state.requests.append(request)
            return state.requests.count - 1
        }
        switch script(index) {
        case .bytes(let text):
            return Self.write(text, to: descriptor)
        case .bytesThenClose(let text):
            _ = Self.write(text, to: descriptor)
        case .bytesThenReset(let text):
            _ = Self.write(text, to: descriptor)
            Self.makeResetOnClose(descriptor)
        case .reset: Self.makeResetOnClose(descriptor)
        case .close: break
        case .hang: while let bytes = Self.readSome(descriptor), !bytes.isEmpty {}
        }
        return false
    }

    private static func readRequest(_ descriptor: Int32) -> String? {
        var received: [UInt8] = []
        while let bytes = readSome(descriptor), !bytes.isEmpty {
            received += bytes
            let text = String(decoding: received, as: UTF8.self)
            guard let headEnd = text.range(of: "\r\n\r\n") else { continue }
            let headLength = text[..<headEnd.upperBound].utf8.count
            if received.count >= headLength + contentLength(of: text[..<headEnd.lowerBound]) { return text }
        }
        return nil
    }

    private static func contentLength(of head: Substring) -> Int {
        let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        return line.flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) } ?? 0
    }

    /// Empty at the end, `nil` after a failure.
    private static func readSome(_ descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : Array(buffer[..<count])
    }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Closing without lingering sends RST instead of FIN.
    private static func makeResetOnClose(_ descriptor: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}
