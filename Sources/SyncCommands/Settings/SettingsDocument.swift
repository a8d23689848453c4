import Yams

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
        guard SettingsDocument.aliases(in: text) <= SettingsDocument.mostAliases else {
            problems.append(
                SettingsProblem(
                    "\(path) has more than \(SettingsDocument.mostAliases) aliases (*name).",
                    hint: "Write the values out."))
            isReadable = false
            return
        }
        do {
            guard let root = try Yams.compose(yaml: text) else { return }
            readRoot(root)
        } catch {
            problems.append(SettingsDocument.problem(of: error, path))
            isReadable = false
        }
    }

    /// What each alias stands for may hold aliases again, and the parser compares keys by all of it: forty lines can
    /// keep it busy for ever. With so few it is done in no time.
    private static let mostAliases = 30

    /// How many aliases there can be; a star in a comment or a text may count as one.
    private static func aliases(in text: String) -> Int {
        let bytes = text.utf8
        return zip(bytes, bytes.dropFirst()).count { star, next in
            star == UInt8(ascii: "*") && next != UInt8(ascii: "*") && next != UInt8(ascii: ")") && next > 0x20
        }
    }

    /// A file of comments alone is null, and sets nothing.
    private mutating func readRoot(_ root: Node) {
        if let mapping = root.mapping {
            read(mapping, below: "")
        } else if !SettingsDocument.isNull(root) {
            problems.append(
                SettingsProblem(
                    "\(path) holds no settings: its top level is not a section.",
                    hint: "Write sections such as source: with keys indented below them."))
        }
    }

    private mutating func read(_ mapping: Node.Mapping, below section: String) {
        for (key, value) in mapping {
            let origin = SettingOrigin.file(path: path, line: key.mark?.line)
            let name = section + (key.scalar?.string ?? "")
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
        if let mapping = value.mapping {
            read(mapping, below: name + ".")
        } else if !SettingsDocument.isNull(value) {
            problems.append(
                SettingsProblem(
                    "\(name) is a section, not a value (\(origin)).",
                    hint: "Write its keys below it, each on a line of its own and indented."))
        }
    }

    /// Null is as if the key weren't there, but for a key where empty is a value.
    private mutating func read(_ value: Node, of definition: SettingDefinition, _ origin: SettingOrigin) {
        let isList = definition.isList && value.sequence != nil
        guard let text = isList ? FlowText.of(value) : value.scalar?.string else {
            let shape = value.sequence == nil ? "a section" : "a list"
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
        let isNull = SettingsDocument.isNull(value)
        guard !isNull || definition.isEmptyAValue else { return }
        findings[definition.path] = .init(text: isNull ? "" : text, origin: origin)
    }

    private static func isNull(_ node: Node) -> Bool {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

extension SettingsDocument {
    /// A syntax error's place and kind. The parser's own text quotes the line, which may hold a secret.
    private static func problem(of error: any Error, _ path: String) -> SettingsProblem {
        guard let error = error as? YamlError else { return invalid(path, nil, "it can't be read") }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return invalid(path, mark, problem)
        case .duplicatedKeysInMapping(_, let context):
            return invalid(path, context.mark, "a key stands twice in one section")
        case .reader: return invalid(path, nil, "it holds a control character")
        case _: return invalid(path, nil, "it can't be read")
        }
    }

    private static func invalid(_ path: String, _ mark: Mark?, _ reason: String) -> SettingsProblem {
        let place = mark.map { ", line \($0.line), column \($0.column)" } ?? ""
        return SettingsProblem(
            "\(path)\(place) is not valid YAML: \(reason).",
            hint: "Look at the indentation, at colons without a space, and at values that need quotes.")
    }
}
