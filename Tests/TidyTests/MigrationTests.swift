import Testing

@Suite("What a migration may do")
struct MigrationTests {
    @Test("none takes away what programs of the version before still use")
    func leaveOlderProgramsAlone() throws {
        for path in try Repository.allPaths().filter({ $0.hasPrefix("migrations/") }) {
            let name = String(path.dropFirst("migrations/".count))
            #expect(MigrationRules.violations(in: try Repository.text(of: path), fileName: name) == [], "\(path)")
        }
    }

    @Test("a planted one is found, and what only adds isn't one")
    func findsPlanted() {
        let sql = """
            ALTER TABLE subscriber_sync.log DROP COLUMN agent;
            ALTER TABLE subscriber_sync.log ALTER COLUMN agent TYPE varchar;
            ALTER TABLE subscriber_sync.log RENAME agent TO who;
            ALTER TABLE subscriber_sync.log ADD COLUMN shard integer; -- SET NOT NULL comes later
            ALTER TABLE subscriber_sync.log DROP COLUMN shard; -- unused since 11
            """
        #expect(MigrationRules.violations(in: sql, fileName: "V0012__planted.sql") == [1, 2, 3])
        #expect(MigrationRules.violations(in: sql, fileName: "V0002__state.sql") == [])
    }
}
