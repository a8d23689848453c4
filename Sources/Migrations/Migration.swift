/// One numbered step of the schema: forward only, applied once, embedded in the binary.
public struct Migration: Sendable, Hashable {
    public let version: Int
    /// What it does, from the file's name: `state` of `V0002__state.sql`.
    public let name: String
    public let sql: String

    public var fileName: String {
        let digits = String(version)
        return "V" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "__\(name).sql"
    }

    /// Every migration, in order. A test compares it with the folder `migrations/`.
    public static let all: [Migration] = [
        Migration(1, "ledger", PackageResources.V0001__ledger_sql),
        Migration(2, "state", PackageResources.V0002__state_sql),
        Migration(3, "capture", PackageResources.V0003__capture_sql),
        Migration(4, "admission", PackageResources.V0004__admission_sql),
        Migration(5, "status", PackageResources.V0005__status_sql),
        Migration(6, "sweep", PackageResources.V0006__sweep_sql),
        Migration(7, "capture", PackageResources.V0007__capture_sql),
        Migration(8, "brakes", PackageResources.V0008__brakes_sql),
        Migration(9, "status", PackageResources.V0009__status_sql),
        Migration(10, "identity", PackageResources.V0010__identity_sql),
        Migration(11, "tally", PackageResources.V0011__tally_sql),
    ]

    /// The version of the last of them.
    public static let newest = all.last?.version ?? 0

    private init(_ version: Int, _ name: String, _ file: [UInt8]) {
        self.version = version
        self.name = name
        sql = String(decoding: file, as: UTF8.self)
    }

    /// For tests of the ledger.
    public init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }
}
