import Foundation
import SyncCore
import SyncStore
import TestSupport
import Testing

/// The page of the tables, held against the catalogue of a database that was migrated.
@Suite("The page of the tables") struct TablesPageTests {
    /// The rows of the tables below the heading of each relation, by "name, kind".
    private static func documented(_ row: ([String]) -> String) throws -> [String: [String]] {
        let tables = try Page.named("Tables").tables.filter { $0.header.starts(with: ["column", "type", "meaning"]) }
        return Dictionary(uniqueKeysWithValues: tables.map { ($0.heading, $0.rows.map(row)) })
    }

    @Test("has each table, view and column with its type, in its order, and no other")
    func columns() async throws {
        let documented = try Self.documented { "\($0[0]) \($0[1])" }
        let found = try await Fixture.run { fixture in
            try await fixture.column(
                """
                SELECT format('`%s`, %s', c.relname, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END)
                    || E'\\t' || format('`%s` `%s`', a.attname,
                        replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz'))
                FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                WHERE c.relnamespace = 'subscriber_sync'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                ORDER BY c.relname, a.attnum
                """)
        }
        let lines = found.compactMap { $0?.components(separatedBy: "\t") }
        let catalogue = Dictionary(grouping: lines) { $0[0] }.mapValues { $0.map { $0[1] } }
        #expect(catalogue.count > 10)
        #expect(Set(documented.keys).symmetricDifference(catalogue.keys) == [])
        for (relation, columns) in catalogue { #expect(documented[relation] == columns, "\(relation)") }
    }

    @Test("says something of each column, and for the state also who writes it")
    func meanings() throws {
        let silent = try Self.documented { $0.dropFirst(2).contains("") ? $0[0] : "" }.mapValues {
            $0.filter { $0 != "" }
        }
        // A row of figures that are alike says it once.
        let alike = Set(FleetStatus.statuses.dropFirst().map { "`\($0)`" })
        for (relation, columns) in silent {
            #expect(Set(columns) == (relation == "`status`, view" ? alike : []), "\(relation)")
        }
    }

    @Test("has each function with its arguments and its result, and says who may call it")
    func functions() async throws {
        let page = try Page.named("Tables")
        let documented = page.tables.filter { $0.header.first == "function" }.flatMap(\.rows)
        let found = try await Fixture.run(before: Self.makeOwner) { fixture in
            let functions = try await fixture.column(
                """
                SELECT format('`%s(%s)` `%s` %s', p.proname, oidvectortypes(p.proargtypes), p.prorettype::regtype,
                    CASE WHEN has_function_privilege(c.relowner, p.oid, 'EXECUTE') THEN 'owners' ELSE 'agents' END)
                FROM pg_proc p, pg_class c
                WHERE p.pronamespace = 'subscriber_sync'::regnamespace AND c.oid = 'public.users'::regclass
                """)
            try await fixture.run(Self.dropOwner)
            return functions
        }
        #expect(Set(documented.map { "\($0[0]) \($0[1]) \($0[2])" }) == Set(found.compactMap(\.self)))
        #expect(documented.count == found.count)
    }

    /// Somebody whom the users table belongs to; the name is this database's alone.
    private static let makeOwner = """
        DO $$ BEGIN
            EXECUTE format('CREATE ROLE %I', current_database() || '_owner');
            EXECUTE format('ALTER TABLE public.users OWNER TO %I', current_database() || '_owner');
        END $$
        """
    private static let dropOwner = """
        DO $$ BEGIN
            EXECUTE format('DROP OWNED BY %I CASCADE', current_database() || '_owner');
            EXECUTE format('DROP ROLE %I', current_database() || '_owner');
        END $$
        """

    @Test("names the sequences, and the channel")
    func others() async throws {
        let words = try Page.named("Tables").words
        let sequences = try await Fixture.run { fixture in
            try await fixture.column(
                "SELECT relname FROM pg_class WHERE relnamespace = 'subscriber_sync'::regnamespace AND relkind = 'S'")
        }
        #expect(sequences.count == 2)
        for sequence in sequences { #expect(words.contains(sequence ?? ""), "\(sequence ?? "")") }
    }

    @Test("says each value that a column may have, where there are but a few")
    func choices() async throws {
        let rows = try Self.documented { $0.joined(separator: " ") }
        let found = try await Fixture.run { fixture in
            try await fixture.column(
                """
                SELECT format('`%s`, table', c.relname) || E'\\t' || format('`%s`', a.attname) || E'\\t'
                    || pg_get_constraintdef(k.oid)
                FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
                WHERE k.connamespace = 'subscriber_sync'::regnamespace AND k.contype = 'c'
                """)
        }
        var count = 0
        for parts in found.compactMap({ $0?.components(separatedBy: "\t") }) where parts[1] != "`standing`" {
            let row = rows[parts[0]]?.first { $0.hasPrefix(parts[1] + " ") } ?? ""
            for value in parts[2].matches(of: #/'([a-z_]+)'/#).map({ String($0.1) }) {
                #expect(Page.words(in: row).contains(value), "\(parts[0]) \(parts[1])")
                count += 1
            }
        }
        #expect(count > 10)
    }

    @Test("and the README explain each status, and no other")
    func statuses() throws {
        for page in [try Page.readme(), try Page.named("Tables")] {
            let rows = try #require(page.table("status"), "\(page.name)").rows
            #expect(rows.map { $0[0] } == FleetStatus.statuses.map { "`\($0)`" }, "\(page.name)")
        }
        let drawing = try Page("Sources/SyncAgent/SyncAgent.docc/user-states.svg").text
        let drawn = drawing.matches(of: #/class="name[^>]*>([a-z_]+)</#).map { String($0.1) }
        #expect(Set(drawn) == Set(FleetStatus.statuses) && drawn.count == FleetStatus.statuses.count)
        // Those at rest, and the two that a lease and a due time make.
        let derived = ["pending", "in_flight"]
        #expect(Set(Standing.allCases.map(\.rawValue)).union(derived) == Set(FleetStatus.statuses))
    }
}
