import ArgumentParser

@testable import SyncCommands

/// Settings from nowhere but the test: flags, variables, and files by their path.
struct SettingsFixture {
    var arguments: [String] = []
    var environment: [String: String] = [:]
    var files: [String: String] = [:]

    /// The least that a command with a users table needs.
    static let least = ["SOURCE_REFERENCE": "email", "SOURCE_FIELDS_FIRST_NAME": "first"]
    static let path = "sync.yaml"

    init(_ arguments: [String] = [], environment: [String: String] = [:], yaml: String? = nil) {
        self.arguments = arguments
        self.environment = SettingsFixture.least.merging(environment) { _, given in given }
        guard let yaml else { return }
        files[SettingsFixture.path] = yaml
        self.environment["SUBSCRIBER_SYNC_CONFIG"] = SettingsFixture.path
    }

    var loader: SettingsLoader {
        let files = files
        return SettingsLoader(environment: environment) { path throws(FileProblem) in
            guard let text = files[path] else { throw .missing }
            return Array(text.utf8)
        }
    }

    func load(needsSource: Bool = true) throws -> SettingsLoader.Loaded {
        try loader.load(try SettingsOptions.parse(arguments), needsSource: needsSource)
    }

    /// What is wrong; empty if nothing is.
    func problems(needsSource: Bool = true) throws -> [SettingsProblem] {
        do {
            _ = try load(needsSource: needsSource)
            return []
        } catch let error as SettingsError {
            return error.problems
        }
    }

    /// One line of `config`.
    func effective(_ key: String) throws -> EffectiveSetting? {
        try load(needsSource: false).effective.first { $0.key == key }
    }
}
