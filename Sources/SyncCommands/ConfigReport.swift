/// What `config` says: every setting as far as it can be read, and everything that would keep `run` from starting.
struct ConfigReport {
    let effective: [EffectiveSetting]
    let problems: [SettingsProblem]

    init(_ options: SettingsOptions, loader: SettingsLoader = .ofThisProcess) {
        let (loaded, found) = loader.reading(options, needsSource: true)
        effective = loaded.effective
        problems = found + (loaded.lacksFile ? [] : ConfigReport.missing(in: loaded, loader))
    }

    /// What a command that needs the mapping only would not miss. A setting that is wrong is there all the same.
    private static func missing(in loaded: SettingsLoader.Loaded, _ loader: SettingsLoader) -> [SettingsProblem] {
        let wrong = Set(loaded.effective.filter(\.isWrong).map(\.key))
        let database = DatabaseSettings(loaded.settings.database, loader.environment)
        return loaded.settings.signalwire.missingParts(except: wrong)
            + (wrong.contains(SettingTable.databaseURL.definition.path) ? [] : database.problems)
    }

    func text(_ format: OutputFormat) -> String {
        switch format {
        case .json:
            return JSON.object(
                effective.map { setting in
                    (
                        setting.key,
                        .object([
                            ("value", .optional(setting.value)), ("origin", .string(setting.origin.description)),
                        ])
                    )
                }
            ).document
        case .table:
            var table = Table(["SETTING", "VALUE", "FROM"])
            table.rows = effective.map { setting in
                [setting.key, setting.isWrong ? "(wrong)" : setting.value ?? "(not set)", setting.origin.description]
            }
            return table.text
        }
    }
}
