/// Reads the settings from flags, environment, file and defaults, and finds everything that is wrong with them.
///
/// It touches nothing but what it is given, so a test can give it anything.
struct SettingsLoader: Sendable {
    /// Reads a whole file.
    typealias FileReader = @Sendable (String) throws(FileProblem) -> [UInt8]

    /// The process's variables.
    let environment: [String: String]
    let readFile: FileReader

    /// The settings, and where each came from.
    struct Loaded: Sendable {
        let settings: Settings
        /// Every key, in the order of the table.
        let effective: [EffectiveSetting]
        /// Whether a file is named that can't be read: then what it may have set is not missing.
        let lacksFile: Bool
    }

    /// Loads and checks the settings.
    ///
    /// - Parameter needsSource: whether a command can't work without the mapping of the users table.
    /// - Throws: every problem that was found.
    func load(_ options: SettingsOptions, needsSource: Bool = true) throws(SettingsError) -> Loaded {
        let (loaded, problems) = reading(options, needsSource: needsSource)
        guard problems.isEmpty else { throw SettingsError(problems) }
        return loaded
    }

    /// The settings, with the default in place of each that is wrong, and everything that was found to be wrong.
    func reading(_ options: SettingsOptions, needsSource: Bool) -> (Loaded, [SettingsProblem]) {
        var problems: [SettingsProblem] = []
        let flags = options.findings(problems: &problems)
        let variables = EnvironmentTexts(environment, readFile: readFile, problems: &problems)
        let file = document(options)
        problems += file?.problems ?? []
        var reading = SettingsReading(
            layers: SettingsLayers(flags: flags, environment: variables, file: file?.findings ?? [:]),
            problems: problems)
        let lacksFile = file?.isReadable == false
        let settings = reading.settings(needsSource: needsSource && !lacksFile)
        return (Loaded(settings: settings, effective: reading.effective, lacksFile: lacksFile), reading.problems)
    }

    /// What the YAML file says, if one is named.
    private func document(_ options: SettingsOptions) -> SettingsDocument? {
        let variable = environment[SettingsLoader.configVariable].flatMap { $0.isEmpty ? nil : $0 }
        guard let path = options.config ?? variable else { return nil }
        do throws(FileProblem) {
            guard let text = String(validating: try readFile(path), as: UTF8.self) else { throw .notText }
            return SettingsDocument(text, path: path)
        } catch {
            let isByFlag = options.config != nil
            let origin: SettingOrigin =
                isByFlag ? .flag("--config") : .environment(SettingsLoader.configVariable)
            return SettingsDocument(
                unreadable: SettingsProblem(
                    "The settings file \(path) \(error.what) (\(origin)).", hint: error.hint))
        }
    }

    /// The variable that names the YAML file.
    static let configVariable = "SUBSCRIBER_SYNC_CONFIG"
}

/// Why a file can't be read.
enum FileProblem: Error, Sendable, Hashable, CaseIterable {
    case missing
    case forbidden
    case folder
    case tooLarge
    case notText
    case unreadable

    /// To stand behind the file's name.
    var what: String {
        switch self {
        case .missing: "does not exist"
        case .forbidden: "may not be read by this user"
        case .folder: "is a folder"
        case .tooLarge: "is larger than \(FileProblem.largestKiB) KiB"
        case .notText: "is not UTF-8 text"
        case .unreadable: "can't be read"
        }
    }

    var hint: String {
        switch self {
        case .missing: "Check the path; a relative one begins at the current folder."
        case .forbidden: "Give the user that runs this program the right to read it."
        case .folder, .tooLarge, .unreadable: "Name another file."
        case .notText: "Save it as UTF-8."
        }
    }

    /// No settings file or secret is anywhere near this.
    static let largestKiB = 256
}
