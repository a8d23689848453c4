import FoundationEssentials
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A local stand-in for SignalWire's subscriber endpoints, on 127.0.0.1 and nowhere else.
///
/// It is strict about what the API's own description forbids, upserts subscribers by reference, mints
/// tokens that open nothing, and fails on request (``Fault``). It keeps everything in memory and forgets
/// it when it stops.
///
///     let sandbox = try await Sandbox.start(SandboxOptions(faults: [Fault(.resetAfterApplying, count: 1)]))
///     // … calls to sandbox.url …
///     await sandbox.stop()
///
/// It listens from ``start(_:)`` on. ``run()`` only keeps it in a `ServiceGroup` until that shuts down.
public final class Sandbox: Service, Sendable {
    /// The TCP port on 127.0.0.1.
    public let port: Int
    private let model: SandboxModel
    private let group: ServiceGroup
    private let serving: Task<Void, any Error>

    /// The base URL, without a slash at the end.
    public var url: String { "http://127.0.0.1:\(port)" }

    /// Starts a sandbox; it takes requests when this returns.
    public static func start(_ options: SandboxOptions = SandboxOptions()) async throws(SandboxError) -> Sandbox {
        guard (0...65_535).contains(options.port) else {
            throw SandboxError(message: "\(options.port) is not a TCP port.", hint: "Use 0 (a free one) to 65535.")
        }
        do {
            return try await listen(options)
        } catch {
            throw SandboxError(
                message: "The sandbox can't listen on 127.0.0.1:\(options.port).",
                hint: "Something else may listen there; use another port, or 0 for a free one.")
        }
    }

    private static func listen(_ options: SandboxOptions) async throws -> Sandbox {
        let model = SandboxModel(faults: options.faults)
        let exchange = Exchange(intake: Intake(credentials: options.credentials), model: model)
        let logger = Logger(label: "sandbox", factory: { _ in SwiftLogNoOpLogHandler() })
        let (bound, announce) = AsyncThrowingStream.makeStream(of: Int.self)
        let server = try HTTPServerBuilder.http1(configuration: .init(additionalChannelHandlers: [Farewell()]))
            .buildServer(
                configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: options.port)),
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                logger: logger,
                responder: { request, writer, channel in try await exchange.respond(to: request, writer, on: channel) },
                onServerRunning: { announce.yield($0.localAddress?.port ?? options.port) })
        let group = ServiceGroup(configuration: configuration(server, logger))
        let serving = Task {
            do {
                try await group.run()
                announce.finish()
            } catch {
                announce.finish(throwing: error)
                throw error
            }
        }
        for try await port in bound {
            return Sandbox(port: port, model: model, group: group, serving: serving)
        }
        throw CancellationError()
    }

    /// Connections get a few seconds to end in order, and are then closed.
    private static func configuration(_ server: any Service, _ logger: Logger) -> ServiceGroupConfiguration {
        var configuration = ServiceGroupConfiguration(services: [server], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(3)
        return configuration
    }

    private init(port: Int, model: SandboxModel, group: ServiceGroup, serving: Task<Void, any Error>) {
        self.port = port
        self.model = model
        self.group = group
        self.serving = serving
    }

    /// Serves until the surrounding `ServiceGroup` shuts down, the task is cancelled, or ``stop()`` is called.
    public func run() async throws {
        let group = group
        await withTaskCancellationOrGracefulShutdownHandler {
            _ = await serving.result
        } onCancelOrGracefulShutdown: {
            Task { await group.triggerGracefulShutdown() }
        }
    }

    /// Stops listening, lets requests under way end, and returns when the port is free.
    public func stop() async {
        await group.triggerGracefulShutdown()
        _ = await serving.result
    }

    // MARK: For tests in the same process; scripts use the control endpoint

    /// Every subscriber, in the order of creation.
    public func snapshot() -> [SandboxSubscriber] { model.subscribers }

    /// The subscriber with exactly this reference.
    public func subscriber(reference: String) -> SandboxSubscriber? { model.subscriber(reference: reference) }

    /// What has been seen since the start, or since ``reset()``.
    public func statistics() -> SandboxStatistics { model.figures }

    /// The faults that are left, with the counts that are left.
    public func faults() -> [Fault] { model.faults }

    /// Replaces the faults; counts and series of draws begin anew.
    public func setFaults(_ faults: [Fault]) { model.setFaults(faults) }

    /// Puts subscribers there that somebody else made, or changes what they hold behind everybody's back.
    public func seed(_ seeds: [SandboxSeed]) { model.seed(seeds, at: Date().timeIntervalSince1970) }

    /// Takes a subscriber away, as somebody does who deletes it in the dashboard; whether there was one.
    @discardableResult
    public func remove(reference: String) -> Bool { model.remove(reference: reference) }

    /// Forgets subscribers and figures; faults stay.
    public func reset() { model.forgetEverything() }
}
