import ArgumentParser
import Postgres
import SyncCore
import SyncStore

/// `subscriber-sync log`
struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "The log table, newest last: each attempt and each decision.",
        discussion: """
            With --follow and --format json each row is one JSON object on a line.

            Examples:
              subscriber-sync log --limit 50
              subscriber-sync log --user 42 --follow
            """)

    @Option(help: "Only this user's rows.")
    var user: String?

    @Flag(help: "Go on printing what comes, until interrupted.")
    var follow = false

    @Option(help: "How many rows, the newest.")
    var limit = 100

    @Option(help: "table or json.")
    var format = OutputFormat.table

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard (1...100_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 100000.") }
    }

    func run() async throws {
        let context = try CommandContext(options, needsSource: false)
        let session = try context.session()
        try await context.checked { () async throws(StoreError) in try await Migrator(session: session).checkSchema() }
        let rows = try await read(context, session, after: nil)
        if follow {
            let widths = LogRow.followedWidths(rows)
            if format == .table { Terminal.out(Table.line(LogRow.header, widths: widths)) }
            Terminal.out(rows.map { line($0, widths) }.joined())
            try await followOn(context, session, from: rows, widths)
        }
        Terminal.out(format == .json ? JSON.array(rows.map(\.json)).document : LogRow.table(of: rows))
        await session.close()
    }

    /// Ids are given before the commit, so a row may appear behind one with a higher id: the last
    /// thousand are looked at again, and what was printed is remembered.
    private func followOn(
        _ context: CommandContext, _ session: Session, from rows: [LogRow], _ widths: [Int]
    ) async throws -> Never {
        var printed = Set(rows.map(\.id))
        // What is older than the first page was left out on purpose.
        let floor = (rows.last?.id ?? 0) == 0 ? 0 : rows.first.map { $0.id - 1 } ?? 0
        var last = rows.last?.id ?? 0
        while true {
            let page = try await read(context, session, after: max(floor, last - 1000))
            let fresh = page.filter { !printed.contains($0.id) }
            Terminal.out(fresh.map { line($0, widths) }.joined())
            printed.formUnion(fresh.map(\.id))
            last = max(last, fresh.last?.id ?? 0)
            printed = printed.filter { $0 > last - 2000 }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    private func read(_ context: CommandContext, _ session: Session, after id: Int64?) async throws -> [LogRow] {
        try await context.checked { () async throws(StoreError) in
            try await SyncLog.read(
                user: user.map(UserKey.init), after: id, limit: id == nil ? limit : 5000, in: session)
        }
    }

    private func line(_ row: LogRow, _ widths: [Int]) -> String {
        switch format {
        case .json: row.json.text + "\n"
        case .table: Table.line(row.cells, widths: widths)
        }
    }
}

extension LogRow {
    static let header = ["AT", "USER", "OUTCOME", "HTTP", "FIELDS", "MS", "SUBSCRIBER", "CODE", "ERROR"]

    static func table(of rows: [LogRow]) -> String {
        var table = Table(header)
        table.rows = rows.map(\.cells)
        return table.text
    }

    /// The widths that hold while rows come in: what most cells need, and the first rows'.
    static func followedWidths(_ rows: [LogRow]) -> [Int] {
        var table = Table(header)
        table.rows = rows.map(\.cells)
        return table.widths(least: [29, 12, 21, 4, 24, 6, 36, 20, 5])
    }

    var cells: [String] {
        [
            at, userKey ?? "", outcome, httpStatus.map(String.init) ?? "", changedFields.joined(separator: ","),
            durationMilliseconds.map(String.init) ?? "", subscriberID ?? "", errorCode ?? "", error ?? "",
        ]
    }

    var json: JSON {
        .object([
            ("id", .int(Int(id))), ("at", .string(at)), ("user_key", .optional(userKey)),
            ("reference", .optional(reference)), ("subscriber_id", .optional(subscriberID)),
            ("outcome", .string(outcome)), ("http_status", .optional(httpStatus)),
            ("error_code", .optional(errorCode)), ("error", .optional(error)),
            ("changed_fields", .array(changedFields.map(JSON.string))),
            ("duration_ms", .optional(durationMilliseconds)), ("agent", .optional(agent)),
            ("request_id", .optional(requestID)),
        ])
    }
}
