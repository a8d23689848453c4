import Postgres
import TestSupport
import Testing

/// Runs a listener and keeps what it says.
final class Ear: Sendable {
    private let tasks: [Task<Void, Never>]

    init(_ settings: ConnectionSettings, channels: [String], silence: Duration = .seconds(30)) {
        let listener = Listener(settings, channels: channels, silence: silence)
        let (stream, continuation) = AsyncStream<ListenerEvent>.makeStream()
        events = stream
        tasks = [
            Task { await listener.run() },
            Task {
                for await event in listener.events { continuation.yield(event) }
                continuation.finish()
            },
        ]
    }

    private let events: AsyncStream<ListenerEvent>

    /// The next event, however long it takes; the suite has a time limit.
    func next() async -> ListenerEvent? {
        var iterator = events.makeAsyncIterator()
        return await iterator.next()
    }

    /// Skips losses until it listens.
    func listening() async -> Int32? {
        while let event = await next() {
            if case .listening(let pid) = event { return pid }
        }
        return nil
    }

    func stop() async {
        tasks.first?.cancel()
        for task in tasks { await task.value }
    }
}

@Suite("Listening", .timeLimit(.minutes(2)))
struct ListenerTests {
    private static let notify = Statement<Void>("notify", "SELECT pg_notify($1, $2)")

    @Test("It hears what is sent, on channels of any name, and who sent it")
    func hears() async throws {
        try await withSession { session, database in
            let channels = ["plain", "Odd \"Name\"; --", "ü😀"]
            let ear = Ear(database.settings, channels: channels)
            #expect(await ear.listening() ?? 0 > 0)
            let pid = try await session.query(number("SELECT pg_backend_pid()")).first
            for channel in channels {
                try await session.execute(ListenerTests.notify, [.text(channel), "päyload"])
                let event = await ear.next()
                #expect(event == .notified(channel: channel, payload: "päyload", senderPID: Int32(pid ?? 0)))
            }
            await ear.stop()
        }
    }

    @Test("A connection that is ended is reported, and it listens again")
    func terminated() async throws {
        try await withSession { session, database in
            let ear = Ear(database.settings, channels: ["c"])
            let first = try #require(await ear.listening())
            _ = try await session.query(truth("SELECT pg_terminate_backend($1::int)"), [.bigint(Int64(first))])
            guard case .lost(let error) = await ear.next() else {
                Issue.record("The loss was not reported.")
                return
            }
            #expect(error.code == .connectionLost)
            let second = try #require(await ear.listening())
            #expect(first != second)
            try await session.execute(ListenerTests.notify, ["c", ""])
            let event = await ear.next()
            #expect(event.map { if case .notified = $0 { true } else { false } } == true)
            await ear.stop()
        }
    }

    @Test("It survives restarts of the server", arguments: [PostgresServer.StopMode.fast, .immediate])
    func restarts(mode: PostgresServer.StopMode) async throws {
        let server = try await PostgresServer.start()
        let settings = server.database(named: "postgres").settings
        let ear = Ear(settings, channels: ["c"])
        #expect(await ear.listening() != nil)
        try await server.restart(mode: mode)
        #expect(await ear.listening() != nil)
        let session = Session(settings)
        try await session.execute(ListenerTests.notify, ["c", "after"])
        let event = await ear.next()
        #expect(event.map { if case .notified("c", "after", _) = $0 { true } else { false } } == true)
        await ear.stop()
        await session.close()
        try await server.stop(mode: .immediate)
    }

    @Test("A silent connection that a proxy keeps open is found dead, and replaced")
    func halfOpen() async throws {
        try await withSession { session, database in
            guard let port = try await PostgresServer.shared().port else { return }
            let proxy = try StallingProxy(to: port)
            defer { proxy.stop() }
            var settings = ConnectionSettings(
                dsn: "postgresql://postgres@127.0.0.1:\(proxy.port)/\(database.name)", applicationName: "test")
            settings.statementTimeout = .milliseconds(200)
            settings.answerGrace = .milliseconds(200)
            let ear = Ear(settings, channels: ["c"], silence: .milliseconds(100))
            #expect(await ear.listening() != nil)
            proxy.stall()
            guard case .lost = await ear.next() else {
                Issue.record("The dead connection was not noticed.")
                return
            }
            proxy.resume()
            #expect(await ear.listening() != nil)
            await ear.stop()
        }
    }

    @Test("Cancelling ends it and its events at once")
    func cancelled() async throws {
        try await withDatabase { database in
            let ear = Ear(database.settings, channels: ["c"])
            #expect(await ear.listening() != nil)
            let began = ContinuousClock.now
            await ear.stop()
            #expect(began.duration(to: .now) < .seconds(1))
            #expect(await ear.next() == nil)
        }
    }

    @Test("Closing ends it, before and after it runs")
    func closed() async throws {
        try await withDatabase { database in
            let early = Listener(database.settings, channels: ["c"])
            early.close()
            await early.run()
            let late = Listener(database.settings, channels: ["c"])
            let run = Task { await late.run() }
            for await event in late.events {
                if case .listening = event { late.close() }
            }
            await run.value
        }
    }
}
