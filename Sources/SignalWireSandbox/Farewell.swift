import NIOCore

/// Notices that a client has ended its side of the connection, while an answer is held back.
///
/// The server half-closes: a client may end its sending and still read the answer, so its end alone
/// closes nothing. But a client that gives up looks the same, and the write that would fail never
/// comes while we wait. So whoever waits asks for the connection to be closed then, and is also
/// right where the client has left before the asking.
final class Farewell: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private var hasClientLeft = false
    private var isAwaited = false

    /// From now on the client's end closes the connection; at once where it has come already.
    static func await(on channel: any Channel) async {
        let asked = channel.eventLoop.submit {
            let context = try channel.pipeline.syncOperations.context(handlerType: Farewell.self)
            guard let farewell = context.handler as? Farewell else { return }
            farewell.isAwaited = true
            if farewell.hasClientLeft { context.close(promise: nil) }
        }
        // Without the handler in the pipeline the connection is gone already.
        try? await asked.get()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            hasClientLeft = true
            if isAwaited { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }
}
