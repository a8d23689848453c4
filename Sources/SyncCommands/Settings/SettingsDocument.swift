import YAML

/// The texts of a YAML file, by the path of their key, each with its line.
struct SettingsDocument {
    /// Only keys that are known and have a value.
    private(set) var findings: [String: SettingsLayers.Finding] = [:]
    /// Keys that are unknown or of the wrong shape, or the syntax error that ended the reading.
    private(set) var problems: [SettingsProblem] = []
    /// Whether the file's keys are known: not where it can't be read, or isn't YAML.
    private(set) var isReadable = true
    private let path: String

    /// A file that can't be read.
    init(unreadable problem: SettingsProblem) {
        path = ""
        problems = [problem]
        isReadable = false
    }

    /// Reads a file's text.
    ///
    /// - Parameter path: the file's name, for messages.
    init(_ text: String, path: String) {
        self.path = path
        do throws(YAMLProblem) {
            guard let root = try Node.parse(text) else { return }
            readRoot(root)
        } catch {
            problems.append(SettingsDocument.problem(of: error, path))
            isReadable = false
        }
    }

    /// A file of comments alone is null, and sets nothing.
    private mutating func readRoot(_ root: Node) {
        if let pairs = root.map {
            read(pairs, below: "")
        } else if !root.isNull {
            problems.append(
                SettingsProblem(
                    "\(path) holds no settings: its top level is not a section.",
                    hint: "Write sections such as source: with keys indented below them."))
        }
    }

    private mutating func read(_ pairs: [Node.Pair], below section: String) {
        for pair in pairs {
            let (key, value) = (pair.key, pair.value)
            let origin = SettingOrigin.file(path: path, line: key.mark.line)
            let name = section + (key.text ?? "")
            if let definition = SettingTable.definition(at: name) {
                read(value, of: definition, origin)
            } else if SettingTable.isSection(name) {
                readSection(value, name, origin)
            } else {
                problems.append(SettingTable.problem(ofUnknown: name, at: origin))
            }
        }
    }

    private mutating func readSection(_ value: Node, _ name: String, _ origin: SettingOrigin) {
        if let pairs = value.map {
            read(pairs, below: name + ".")
        } else if !value.isNull {
            problems.append(
                SettingsProblem(
                    "\(name) is a section, not a value (\(origin)).",
                    hint: "Write its keys below it, each on a line of its own and indented."))
        }
    }

    /// Null is as if the key weren't there, but for a key where empty is a value.
    private mutating func read(_ value: Node, of definition: SettingDefinition, _ origin: SettingOrigin) {
        let isList = definition.isList && value.list != nil
        guard let text = isList ? FlowText.of(value) : value.text else {
            let shape = value.list == nil ? "a section" : "a list"
            problems.append(
                SettingsProblem(
                    "\(definition.path) is \(shape), not a single value (\(origin)).",
                    hint: "Write \(definition.form)."))
            return
        }
        guard findings[definition.path] == nil else {
            problems.append(
                SettingsProblem("\(definition.path) is set twice (\(origin)).", hint: "Remove one of them."))
            return
        }
        let isNull = value.isNull
        guard !isNull || definition.isEmptyAValue else { return }
        findings[definition.path] = .init(text: isNull ? "" : text, origin: origin)
    }
}

extension SettingsDocument {
    private static func problem(of problem: YAMLProblem, _ path: String) -> SettingsProblem {
        switch problem.kind {
        case .tooManyAliases:
            return SettingsProblem(
                "\(path) has more than \(YAMLLimits.aliases) aliases (*name).", hint: "Write the values out.")
        case .syntax, .controlCharacter, .duplicateKey, .unknownAlias, .severalDocuments, .tooDeep, .tooManyValues,
            .outOfMemory:
            let place = problem.mark.map { ", line \($0.line), column \($0.column)" } ?? ""
            return SettingsProblem(
                "\(path)\(place) is not valid YAML: \(problem.reason).",
                hint: "Look at the indentation, at colons without a space, and at values that need quotes.")
        }
    }
}
