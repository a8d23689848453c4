/// The variables that are settings, with the contents of the files that `…_FILE` variables name.
struct EnvironmentTexts: Sendable {
    /// By the name of the key's own variable.
    private(set) var texts: [String: String] = [:]
    /// The keys whose text came from a file.
    private var fileVariables: [String: String] = [:]

    /// - Parameter problems: gets what is wrong with the files and with variables that must not be set.
    init(
        _ environment: [String: String], readFile: SettingsLoader.FileReader, problems: inout [SettingsProblem]
    ) {
        for definition in SettingTable.all {
            let name = definition.environmentName
            let text = environment[name].flatMap { $0.isEmpty && !definition.isEmptyAValue ? nil : $0 }
            texts[name] = text
            guard let variable = definition.fileVariable, let path = environment[variable], !path.isEmpty else {
                continue
            }
            do throws(SettingsProblem) {
                guard text == nil else { throw EnvironmentTexts.bothSet(name, variable) }
                texts[name] = try EnvironmentTexts.content(of: path, variable, readFile)
                fileVariables[definition.path] = variable
            } catch {
                problems.append(error)
            }
        }
        for path in SettingTable.passwordPaths {
            let variable = SettingDefinition.environmentName(of: path)
            guard environment[variable]?.isEmpty == false else { continue }
            problems.append(SettingTable.problem(ofUnknown: path, at: .environment(variable)))
        }
    }

    /// The variable that a key's text came from.
    func variable(of definition: SettingDefinition) -> String {
        fileVariables[definition.path] ?? definition.environmentName
    }

    /// A file's text without the newline that editors and `echo` leave at its end.
    ///
    /// The path isn't quoted in messages: who mixes the two variables up has written the secret there.
    private static func content(
        of path: String, _ variable: String, _ readFile: SettingsLoader.FileReader
    ) throws(SettingsProblem) -> String {
        let bytes: [UInt8]
        do {
            bytes = try readFile(path)
        } catch {
            throw SettingsProblem("The file that \(variable) names \(error.what).", hint: error.hint)
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw SettingsProblem("The file that \(variable) names is not UTF-8 text.", hint: "Save it as UTF-8.")
        }
        // A carriage return and a newline are one character.
        if text.last?.isNewline == true { text.removeLast() }
        guard !text.isEmpty else {
            throw SettingsProblem(
                "The file that \(variable) names is empty.", hint: "Write the value into it, or unset \(variable).")
        }
        return text
    }

    private static func bothSet(_ name: String, _ variable: String) -> SettingsProblem {
        SettingsProblem("Both \(name) and \(variable) are set.", hint: "Unset one of them.")
    }
}
