import YAML

extension Settings {
    /// One entry of `capture.related`: a table whose changes bear on users who refer to it.
    struct Related: Sendable, Hashable {
        let table: TableName
        /// The column that users refer to.
        let key: String
        /// The columns a change of which matters; at least one.
        let columns: [String]
        /// The column of the users table that refers to it.
        let users: String
    }
}

extension ValueSyntax where Value == [Settings.Related] {
    /// A list of tables: in a file as YAML has it, elsewhere in YAML's flow style, of which JSON is a part.
    static var relatedTables: Self {
        Self(
            form: "a list of tables such as [{table: public.companies, key: id, columns: [name], users: company_id}]",
            parse: { text throws(ValueProblem) in
                guard !text.isEmpty else { return [] }
                return try RelatedSyntax.entries(text)
            },
            render: RelatedSyntax.text)
    }
}

/// How `capture.related` is read and written.
enum RelatedSyntax {
    private static let keys = ["table", "key", "columns", "users"]

    static func entries(_ text: String) throws(ValueProblem) -> [Settings.Related] {
        guard let list = try YAMLText.root(text)?.list else { throw ValueProblem("is not a list") }
        var entries: [Settings.Related] = []
        for (index, node) in list.enumerated() {
            entries.append(try entry(node, "in its table number \(index + 1)"))
        }
        return try withoutContradiction(entries)
    }

    private static func entry(_ node: Node, _ place: String) throws(ValueProblem) -> Settings.Related {
        guard let pairs = node.map else { throw ValueProblem("has something else than a table \(place)") }
        for name in pairs.map({ $0.key.text ?? "" }) where !keys.contains(name) {
            let near = NearestKey.to(name, among: keys)
            throw ValueProblem(
                "has an unknown key \(place)",
                hint: near.map { "Did you mean \($0)?" } ?? "The keys are \(listed(keys, "and")).")
        }
        let columns = try names(node["columns"], "columns", place)
        return Settings.Related(
            table: try TableName(parsing: try name(node["table"], "table", place)),
            key: node["key"] == nil ? "id" : try name(node["key"], "key", place), columns: columns,
            users: try name(node["users"], "users", place))
    }

    private static func name(_ node: Node?, _ key: String, _ place: String) throws(ValueProblem) -> String {
        guard let text = node?.text?.trimmingSpace(), !text.isEmpty, !text.utf8.contains(0) else {
            throw ValueProblem("has no \(key) \(place)")
        }
        return text
    }

    /// One name may stand without brackets.
    private static func names(_ node: Node?, _ key: String, _ place: String) throws(ValueProblem) -> [String] {
        guard let list = node?.list else { return [try name(node, key, place)] }
        var names: [String] = []
        for item in list { names.append(try name(item, key, place)) }
        guard !names.isEmpty else { throw ValueProblem("has no \(key) \(place)") }
        return names
    }

    /// A change is known by the table and one key, so entries for one table have the same.
    private static func withoutContradiction(
        _ entries: [Settings.Related]
    ) throws(ValueProblem) -> [Settings.Related] {
        for entry in entries where entries.contains(where: { $0.table == entry.table && $0.key != entry.key }) {
            throw ValueProblem("has two keys for one table", hint: "Name one key for each table.")
        }
        return entries
    }

    static func text(_ entries: [Settings.Related]) -> String {
        guard !entries.isEmpty else { return "" }
        let texts = entries.map { entry in
            let columns = entry.columns.map(FlowText.quoted).joined(separator: ", ")
            return "{table: \(FlowText.quoted(entry.table.description)), key: \(FlowText.quoted(entry.key)), "
                + "columns: [\(columns)], users: \(FlowText.quoted(entry.users))}"
        }
        return "[\(texts.joined(separator: ", "))]"
    }
}

/// YAML as the value of a setting.
enum YAMLText {
    static func root(_ text: String) throws(ValueProblem) -> Node? {
        do { return try Node.parse(text) } catch { throw ValueProblem("is not valid YAML") }
    }
}

/// YAML in one line.
enum FlowText {
    /// Writes a node of a file as it could stand in an environment variable.
    static func of(_ node: Node) -> String {
        switch node.content {
        case .list(let list): return "[\(list.map(of).joined(separator: ", "))]"
        case .map(let pairs): return "{\(pairs.map { "\(of($0.key)): \(of($0.value))" }.joined(separator: ", "))}"
        case .scalar(let scalar): return quoted(scalar.text)
        }
    }

    /// A text, in double quotes where it could be taken for something else.
    static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            case _: false
            }
        }
        guard !isPlain || text.isEmpty else { return text }
        let escaped = text.map { character in
            switch character {
            case "\"", "\\": "\\\(character)"
            case "\n": "\\n"
            case _: String(character)
            }
        }
        return "\"\(escaped.joined())\""
    }
}
