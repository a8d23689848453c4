/// What a migration may not do, because programs of the version before work on beside it: the decision "Rolling
/// upgrades". What means what can't be read from SQL; these are the clear cases.
enum MigrationRules {
    /// Those before it were made when there was nothing yet to work beside.
    static let firstUnderRule = 10

    /// A line may do it all the same where its comment says since when nobody uses the thing.
    static let excuse = "-- unused since"

    private static let forbidden = ["DROP COLUMN", "DROP TABLE", " RENAME ", "SET NOT NULL", "SET DATA TYPE"]

    /// The lines, from 1, of a file `V0010__name.sql`.
    static func violations(in sql: String, fileName: String) -> [Int] {
        let version = Int(fileName.dropFirst().prefix { $0.isNumber }) ?? .max
        guard version >= firstUnderRule else { return [] }
        return sql.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            let code = line.prefix { $0 != "-" }.uppercased()
            let isForbidden =
                forbidden.contains { code.contains($0) } || (code.contains("ALTER COLUMN") && code.contains(" TYPE "))
            return isForbidden && !line.contains(excuse) ? index + 1 : nil
        }
    }
}
