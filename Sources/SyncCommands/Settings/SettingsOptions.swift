import ArgumentParser

/// The flags that every command has for its settings.
struct SettingsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The YAML file with the settings. Default: what SUBSCRIBER_SYNC_CONFIG names.", valueName: "path"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The database, as libpq reads it. Others can see it in the list of processes, so keep a password in "
                + "DATABASE_URL instead.", valueName: "url"))
    var databaseURL: String?

    @Option(help: ArgumentHelp("The SignalWire space: name, host or URL.", valueName: "name"))
    var space: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Any setting, such as delivery.rate=20. Repeatable; the last one of a key holds.", valueName: "key=value"))
    var assignments: [String] = []
}

extension SettingsOptions {
    /// The given texts by their key's path.
    ///
    /// - Parameter problems: gets the flags that name no key.
    func findings(problems: inout [SettingsProblem]) -> [String: SettingsLayers.Finding] {
        var findings: [String: SettingsLayers.Finding] = [:]
        for assignment in assignments {
            do throws(SettingsProblem) {
                let (definition, text) = try SettingsOptions.parse(assignment)
                findings[definition.path] = .init(text: text, origin: .flag("--set"))
            } catch {
                problems.append(error)
            }
        }
        if let databaseURL {
            findings[SettingTable.databaseURL.definition.path] =
                .init(text: databaseURL, origin: .flag("--database-url"))
        }
        if let space {
            findings[SettingTable.space.definition.path] = .init(text: space, origin: .flag("--space"))
        }
        return findings
    }

    private static func parse(_ assignment: String) throws(SettingsProblem) -> (SettingDefinition, String) {
        guard let equals = assignment.firstIndex(of: "=") else {
            throw SettingsProblem(
                "A value of --set has no =.", hint: "Write --set KEY=VALUE, such as --set delivery.rate=20.")
        }
        let path = String(assignment[..<equals]).trimmingSpace()
        guard let definition = SettingTable.definition(at: path) else {
            throw SettingTable.problem(ofUnknown: path, at: .flag("--set"))
        }
        return (definition, String(assignment[assignment.index(after: equals)...]))
    }
}
