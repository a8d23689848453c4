import Postgres
import SyncStore
import UnixSignals

/// Looks at the status every two seconds until somebody has seen enough.
///
/// On a terminal it is a screen that redraws in place. Elsewhere a picture is printed when it is another than the last.
struct StatusWatch {
    let session: Session
    let format: OutputFormat

    private static let interval = Duration.seconds(2)
    /// How long a key or a signal waits at most.
    private static let tick = Duration.milliseconds(100)

    func run() async throws {
        if Terminal.isOutTerminal, format == .table { await show() } else { try await report() }
    }

    /// The screen. A database that doesn't answer is something to see, and no reason to go.
    private func show() async {
        let end = EndRequest()
        let signals = Task {
            for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup) { end.make() }
        }
        let screen = Screen()
        defer {
            screen.leave()
            signals.cancel()
        }
        let reader = StatusReader(session)
        let reading = Task { await reader.readOn(every: StatusWatch.interval) }
        defer { reading.cancel() }
        var drawn: StatusReader.Sight?
        var size: TerminalSize?
        while !end.isMade, !screen.keys().contains(UInt8(ascii: "q")) {
            let (sight, now) = (await reader.sight, TerminalSize.ofOut)
            if sight != drawn || now != size {
                screen.draw(sight.frame(now, paint: .ofOut).lines)
                (drawn, size) = (sight, now)
            }
            try? await Task.sleep(for: StatusWatch.tick)
        }
    }

    /// Line by line, or table by table.
    private func report() async throws {
        var last: String?
        while true {
            let status: FleetStatus
            do {
                status = try await FleetStatus.read(in: session)
            } catch {
                throw Failure(error)
            }
            let text = format == .json ? status.json.text + "\n" : status.table + "\n"
            if text != last { Terminal.out(text) }
            last = text
            try await Task.sleep(for: StatusWatch.interval)
        }
    }
}

/// Asks the database again and again, so that drawing and keys never wait for it.
actor StatusReader {
    /// The last that was seen.
    struct Sight: Sendable, Equatable {
        var status: FleetStatus?
        var trouble: String?
        var time = Timestamp.seconds()
        var most = 0

        /// The last column stays free: clearing behind a line that ends there would take its last letter.
        func frame(_ size: TerminalSize, paint: Paint) -> StatusFrame {
            let room = TerminalSize(columns: size.columns - 1, rows: size.rows)
            return StatusFrame(status: status, trouble: trouble, time: time, most: most, size: room, paint: paint)
        }

        /// Each sight has its second.
        static func == (one: Sight, other: Sight) -> Bool {
            one.time == other.time && one.trouble == other.trouble && (one.status == nil) == (other.status == nil)
        }
    }

    private let session: Session
    private(set) var sight = Sight()

    init(_ session: Session) { self.session = session }

    func readOn(every interval: Duration) async {
        while !Task.isCancelled {
            await readOnce()
            try? await Task.sleep(for: interval)
        }
    }

    private func readOnce() async {
        do {
            let status = try await FleetStatus.read(in: session)
            sight.most = status.waiting == 0 ? 0 : max(sight.most, status.waiting)
            (sight.status, sight.trouble) = (status, nil)
        } catch {
            guard !Task.isCancelled else { return }
            sight.trouble = error.message
        }
        sight.time = Timestamp.seconds()
    }
}
