import Foundation
import Glibc

/// A listener on loopback whose queue is full and that never accepts: Linux drops what else knocks,
/// so connecting to it neither succeeds nor fails.
struct CrowdedListener: ~Copyable {
    let port: Int
    private let descriptors: [Int32]

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var knocking: [Int32] = []
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(listener, generic, length) == 0, listen(listener, 0) == 0,
                    getsockname(listener, generic, &length) == 0
                else { return false }
                for _ in 0..<4 {
                    let visitor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
                    _ = connect(visitor, generic, length)
                    knocking.append(visitor)
                }
                return true
            }
        }
        descriptors = [listener] + knocking
        port = Int(UInt16(bigEndian: address.sin_port))
        if !isReady { throw POSIXError(.EADDRNOTAVAIL) }
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }
}
