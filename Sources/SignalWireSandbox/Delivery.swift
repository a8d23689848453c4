import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import NIOCore
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The ways in which an exchange can end on its connection, right and wrong ones.
enum Delivery {
    /// Sends an answer whole.
    static func send(_ answer: Answer, _ writer: consuming ResponseWriter) async throws {
        try await writer.write(response: head(answer), body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }

    /// Announces an answer whole, sends half of its body and closes the connection in order.
    static func sendHalf(_ answer: Answer, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        var body = try await writer.writeHead(head(answer))
        try await body.write(ByteBuffer(bytes: answer.body.prefix(answer.body.count / 2)))
        try await channel.close()
    }

    /// Resets the connection: closing with a linger time of zero makes the kernel send RST instead of FIN.
    static func reset(_ channel: any Channel) async throws {
        if let options = channel as? any SocketOptionProvider {
            try? await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try? await channel.close()
    }

    /// Says nothing until the client closes the connection, the limit is over, or the sandbox stops.
    static func keepSilent(_ limitMilliseconds: Int, _ channel: any Channel) async {
        await Farewell.await(on: channel)
        let limit = channel.eventLoop.scheduleTask(in: .milliseconds(Int64(limitMilliseconds))) {
            channel.close(promise: nil)
        }
        await withTaskCancellationOrGracefulShutdownHandler {
            try? await channel.closeFuture.get()
        } onCancelOrGracefulShutdown: {
            channel.close(promise: nil)
        }
        limit.cancel()
    }

    /// Waits; whether the client is still there afterwards.
    static func hold(_ milliseconds: Int, _ channel: any Channel) async -> Bool {
        guard milliseconds > 0 else { return true }
        await Farewell.await(on: channel)
        let isOver = channel.eventLoop.makePromise(of: Void.self)
        let timer = channel.eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) { isOver.succeed() }
        channel.closeFuture.whenComplete { _ in isOver.succeed() }
        await withTaskCancellationOrGracefulShutdownHandler {
            try? await isOver.futureResult.get()
        } onCancelOrGracefulShutdown: {
            isOver.succeed()
        }
        timer.cancel()
        return channel.isActive
    }

    private static func head(_ answer: Answer) -> HTTPResponse {
        var fields = HTTPFields()
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        if answer.status != 204 { fields[.contentLength] = String(answer.body.count) }
        fields[.date] = HTTPDate.string(Date())
        if let requestID = HTTPField.Name("X-Request-Id") { fields[requestID] = UUID().uuidString.lowercased() }
        return HTTPResponse(status: .init(code: answer.status), headerFields: fields)
    }
}
