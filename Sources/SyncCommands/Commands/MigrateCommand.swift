import ArgumentParser
import Migrations
import Postgres
import SyncStore

/// `subscriber-sync migrate`
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Creates or upgrades the schema subscriber_sync, and installs capture on the users table.",
        discussion: """
            Safe to repeat, and to run from many places at once. The users table is locked only for the moment in \
            which its triggers change; if somebody else holds it for long, nothing is changed.

            Examples:
              subscriber-sync migrate --dry-run
              subscriber-sync migrate --print > review.sql
              subscriber-sync migrate
            """)

    @Flag(help: "Write the SQL that is still to be run to stdout, and touch nothing.")
    var print = false

    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let context = try CommandContext(options)
        let session = try context.session()
        let migrator = Migrator(session: session, program: SubscriberSync.version)
        if print, await isUnreachable(migrator) {
            // The schema can be read without a database; the triggers can't be made without the table.
            Terminal.out(migrator.script())
            throw Failure(
                .unavailable,
                "The triggers are not in this script: they depend on the table, and the database "
                    + "doesn't answer.", hint: "Set DATABASE_URL to print them too.")
        }
        let pending = try await context.checked { () async throws(StoreError) in try await migrator.pending() }
        let source = try await context.source(in: session)
        try await finish(context, migrator, pending, source, session)
        await session.close()
    }

    private func isUnreachable(_ migrator: Migrator) async -> Bool {
        do {
            _ = try await migrator.pending()
            return false
        } catch {
            return error.isTransient
        }
    }

    private func finish(
        _ context: CommandContext, _ migrator: Migrator, _ pending: [Migration], _ source: SourceTable,
        _ session: Session
    ) async throws {
        let plan = { () async throws(StoreError) -> CaptureInstaller.Work in
            try await context.captureWork(for: source, in: session)
        }
        if print {
            let work = try await context.checked(plan)
            Terminal.out(migrator.script(of: pending) + "\n-- Capture on \(work.table)\n" + work.script)
        } else if dryRun {
            Terminal.out(preview(pending, try await context.checked(plan)))
        } else {
            let (applied, work) = try await context.checked { () async throws(StoreError) in
                (try await migrator.migrate(), try await CaptureInstaller(session: session).install(plan))
            }
            try await context.checked { () async throws(StoreError) in
                // Agents wait while everybody is counted anew, so not without need.
                if try await !Tally.miscounted(in: session).isEmpty { try await Tally.recount(in: session) }
            }
            Terminal.out(report(applied, work))
        }
    }

    private func preview(_ pending: [Migration], _ work: CaptureInstaller.Work) -> String {
        let migrations = pending.map { "would apply \($0.fileName)\n" }.joined()
        let triggers = work.statements.map { "would run \($0)\n" }.joined()
        return migrations + triggers + (pending.isEmpty && work.statements.isEmpty ? "nothing to do\n" : "")
    }

    private func report(_ applied: [Migration], _ work: CaptureInstaller.Work) -> String {
        let schema =
            applied.isEmpty ? "schema up to date" : "applied \(applied.map(\.fileName).joined(separator: ", "))"
        let capture =
            switch (work.statements.isEmpty, work.isRemoval) {
            case (true, false): "capture up to date on \(work.table)"
            case (false, false): "capture installed on \(work.table)"
            case (true, true): "\(work.table) is polled; nothing is put on it"
            case (false, true): "\(work.table) is polled; the triggers of before are gone"
            }
        return ([schema, capture] + work.notes.map { "note: \($0)" }).map { $0 + "\n" }.joined()
    }
}
