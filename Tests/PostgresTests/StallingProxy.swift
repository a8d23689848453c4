import Foundation
import Glibc
import Synchronization
import TestSupport

/// A TCP proxy on loopback that can stop forwarding without closing anything: a half-open connection.
final class StallingProxy: Sendable {
    private struct State {
        var isStalled: Bool
        var isStopped = false
        var acceptedCount = 0
    }

    /// The two sides of one connection.
    private struct Pair {
        let client: Int32
        let server: Int32?

        func other(than side: Int32) -> Int32? { side == client ? server : client }
    }

    let port: Int
    private let listening: Int32
    private let target: Int
    private let state: Mutex<State>

    /// - Parameter target: the port on loopback that connections are forwarded to.
    init(to target: Int, isStalled: Bool = false) throws {
        listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.target = target
        state = Mutex(State(isStalled: isStalled))
        var address = StallingProxy.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listening
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        guard isListening else { throw CocoaError(.featureUnsupported) }
        Thread.detachNewThread { self.run() }
    }

    var acceptedCount: Int { state.withLock(\.acceptedCount) }

    /// From now on nothing passes, in either direction, and nothing is closed.
    func stall() { state.withLock { $0.isStalled = true } }

    /// Lets everything pass again, what was held back first.
    func resume() { state.withLock { $0.isStalled = false } }

    /// Closes everything, soon.
    func stop() { state.withLock { $0.isStopped = true } }

    private func run() {
        var pairs: [Pair] = []
        while true {
            let (isStalled, isStopped) = state.withLock { ($0.isStalled, $0.isStopped) }
            if isStopped { break }
            let sides = isStalled ? [] : pairs.flatMap { [$0.client] + [$0.server].compactMap { $0 } }
            var watched = ([listening] + sides).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&watched, nfds_t(watched.count), 20) > 0 else { continue }
            for side in watched.dropFirst() where side.revents != 0 { forward(from: side.fd, &pairs) }
            if watched[0].revents != 0 { pairs.append(accepted()) }
        }
        for pair in pairs { close(pair) }
        Glibc.close(listening)
    }

    private func accepted() -> Pair {
        let client = accept(listening, nil, nil)
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = StallingProxy.loopback(target)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        state.withLock { $0.acceptedCount += 1 }
        if !isConnected { Glibc.close(server) }
        return Pair(client: client, server: isConnected ? server : nil)
    }

    private func forward(from side: Int32, _ pairs: inout [Pair]) {
        guard let index = pairs.firstIndex(where: { $0.client == side || $0.server == side }) else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(side, &buffer, buffer.count, 0)
        let isForwarded =
            if count > 0, let other = pairs[index].other(than: side) {
                send(other, &buffer, count, Int32(MSG_NOSIGNAL)) == count
            } else {
                false
            }
        if isForwarded { return }
        close(pairs.remove(at: index))
    }

    private func close(_ pair: Pair) {
        Glibc.close(pair.client)
        if let server = pair.server { Glibc.close(server) }
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        return address
    }
}
