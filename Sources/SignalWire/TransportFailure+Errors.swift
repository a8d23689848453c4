import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension TransportFailure {
    /// Names what a library threw.
    ///
    /// - Parameter hasHead: whether the status line and the headers had come by then.
    init(_ error: any Error, hasHead: Bool) {
        if error is NIOTooManyBytesError {
            self = .answerTooLarge
        } else if hasHead {
            self = .answerCut
        } else {
            self = Self.beforeAnswer(error)
        }
    }

    private static func beforeAnswer(_ error: any Error) -> TransportFailure {
        switch error {
        case let error as NIOConnectionError: connecting(error)
        case let error as HTTPClientError: client(error)
        case let error as IOError: system(error)
        case ChannelError.connectTimeout: .connectTimeout
        case is ChannelError: .connectionLost
        case is SocketAddressError, is SocketAddressError.UnknownHost: .dnsFailure
        case is HTTPParserError: .notHTTP
        default: secured(error)
        }
    }

    /// Several addresses may have been tried: one that refused says more than one that couldn't be reached.
    private static func connecting(_ error: NIOConnectionError) -> TransportFailure {
        let failures = error.connectionErrors.map { beforeAnswer($0.error) }
        if failures.isEmpty { return .dnsFailure }
        let telling: [TransportFailure] = [.connectionRefused, .tlsHandshakeFailed, .connectTimeout, .hostUnreachable]
        return telling.first(where: failures.contains) ?? .hostUnreachable
    }

    private static func client(_ error: HTTPClientError) -> TransportFailure {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout: .connectTimeout
        case .tlsHandshakeTimeout: .tlsHandshakeFailed
        case .readTimeout, .writeTimeout, .deadlineExceeded: .deadlineExceeded
        case .remoteConnectionClosed, .uncleanShutdown: .connectionLost
        case .alreadyShutdown: .clientClosed
        default: .unknown
        }
    }

    private static func system(_ error: IOError) -> TransportFailure {
        switch error.errnoCode {
        case ECONNREFUSED: .connectionRefused
        case EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL: .hostUnreachable
        case ETIMEDOUT: .deadlineExceeded
        case ECONNRESET, EPIPE, ECONNABORTED, ENOTCONN: .connectionLost
        default: .unknown
        }
    }

    /// The TLS library's errors, known by the name of their module, so that it is no dependency of ours.
    private static func secured(_ error: any Error) -> TransportFailure {
        let type = String(reflecting: type(of: error))
        guard type.hasPrefix("NIOSSL.") else { return .unknown }
        let isHandshake = type.hasSuffix("NIOSSLExtraError") || String(describing: error).hasPrefix("handshakeFailed")
        return isHandshake ? .tlsHandshakeFailed : .tlsBroken
    }
}
