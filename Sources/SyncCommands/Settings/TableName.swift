/// The source table's name as the settings write it: `users`, `public.users`, `"My Schema"."User Table"`.
///
/// A part without quotes is taken as it is, capitals included; unlike in SQL it isn't folded to lower case,
/// because a settings file quotes a name to show what it is, not to keep it. Quotes are needed only around a dot,
/// a quote (doubled inside) or white space. Names of columns need none at all: no dot separates anything there.
struct TableName: Sendable, Hashable {
    /// `nil`: the search path of the connection finds it.
    let schema: String?
    let name: String
}

extension TableName: CustomStringConvertible {
    /// Reads one part, or two with a dot between.
    init(parsing text: String) throws(ValueProblem) {
        guard !text.utf8.contains(0) else { throw ValueProblem("holds a NUL character") }
        // By scalars: a quote with a combining accent behind it is one character, but a quote to the server.
        var rest = Substring(text).unicodeScalars
        var parts = [try TableName.part(&rest)]
        while rest.first == "." {
            rest = rest.dropFirst()
            parts.append(try TableName.part(&rest))
        }
        guard rest.isEmpty else { throw TableName.misquoted }
        switch parts.count {
        case 1: self.init(schema: nil, name: parts[0])
        case 2: self.init(schema: parts[0], name: parts[1])
        case _:
            throw ValueProblem(
                "has more than two parts", hint: "Write schema.table; the database is chosen by DATABASE_URL.")
        }
    }

    /// With quotes where they are needed, so that it reads back as the same name.
    var description: String {
        (schema.map { TableName.written($0) + "." } ?? "") + TableName.written(name)
    }

    /// Takes one name off the front.
    private static func part(_ rest: inout Substring.UnicodeScalarView) throws(ValueProblem) -> String {
        let name = rest.first == "\"" ? try quotedPart(&rest) : plainPart(&rest)
        guard !name.isEmpty else { throw ValueProblem("has an empty part") }
        return name
    }

    private static func plainPart(_ rest: inout Substring.UnicodeScalarView) -> String {
        let name = rest.prefix { !needsQuotes($0) }
        rest = rest.dropFirst(name.count)
        return String(String.UnicodeScalarView(name))
    }

    private static func quotedPart(_ rest: inout Substring.UnicodeScalarView) throws(ValueProblem) -> String {
        var name = String.UnicodeScalarView()
        rest = rest.dropFirst()
        while let scalar = rest.popFirst() {
            guard scalar == "\"" else { name.append(scalar); continue }
            guard rest.first == "\"" else { return String(name) }
            name.append("\"")
            rest = rest.dropFirst()
        }
        throw misquoted
    }

    private static func written(_ name: String) -> String {
        guard name.unicodeScalars.contains(where: needsQuotes) else { return name }
        let doubled = name.unicodeScalars.flatMap { $0 == "\"" ? [$0, $0] : [$0] }
        return "\"" + String(String.UnicodeScalarView(doubled)) + "\""
    }

    private static func needsQuotes(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "." || scalar == "\"" || scalar.properties.isWhitespace
    }

    private static let misquoted = ValueProblem("is not a table's name")
}

extension ValueSyntax where Value == TableName? {
    /// A table's name; empty is none.
    static var optionalTableName: Self {
        let table = ValueSyntax<TableName>.tableName
        return Self(
            form: table.form,
            parse: { text throws(ValueProblem) in text.isEmpty ? nil : try table.parse(text) },
            render: { $0?.description ?? "" })
    }
}

extension ValueSyntax where Value == TableName {
    /// A table's name, with its schema or without.
    static var tableName: Self {
        Self(
            form: "table or schema.table, with double quotes around a name that holds a dot, a quote or a space",
            parse: { text throws(ValueProblem) in try TableName(parsing: text) },
            render: \.description)
    }
}
