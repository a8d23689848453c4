import Postgres

/// The connections that the settings name, checked without connecting.
struct DatabaseSettings {
    let database: Settings.Database
    /// The process's variables: libpq's own may name the database too.
    let environment: [String: String]

    init(_ database: Settings.Database, _ environment: [String: String]) {
        self.database = database
        self.environment = environment
    }

    /// To work on.
    func connection() throws(SettingsError) -> ConnectionSettings {
        guard database.url != nil || environment.keys.contains(where: DatabaseSettings.variables.contains) else {
            throw SettingsError([
                SettingsProblem(
                    "No database is configured.",
                    hint: "Set DATABASE_URL, such as postgresql://user@host:5432/database, or libpq's PG* variables.")
            ])
        }
        return try DatabaseSettings.valid(database.url, SettingTable.databaseURL.definition)
    }

    /// To listen on.
    func listening() throws(SettingsError) -> ConnectionSettings {
        guard let url = database.listenURL else { return try connection() }
        return try DatabaseSettings.valid(url, SettingTable.databaseListenURL.definition)
    }

    /// What is wrong with either, each once.
    var problems: [SettingsProblem] {
        let found = [problems(connection), problems(listening)].joined()
        return found.reduce(into: []) { problems, problem in
            if !problems.contains(problem) { problems.append(problem) }
        }
    }

    private func problems(_ make: () throws(SettingsError) -> ConnectionSettings) -> [SettingsProblem] {
        do {
            _ = try make()
            return []
        } catch {
            return error.problems
        }
    }

    /// Of libpq's variables, those that say where the database is.
    private static let variables: Set = ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"]

    private static func valid(
        _ url: Secret?, _ definition: SettingDefinition
    ) throws(SettingsError) -> ConnectionSettings {
        let connection = ConnectionSettings(dsn: url?.reveal() ?? "", applicationName: "subscriber-sync")
        do {
            _ = try connection.validated()
        } catch {
            throw SettingsError([
                SettingsProblem(
                    "\(definition.path): \(error.message)", hint: error.hint ?? "Write \(definition.form).")
            ])
        }
        return connection
    }
}
