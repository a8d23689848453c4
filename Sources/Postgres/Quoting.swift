/// The name as an SQL identifier: `users` becomes `"users"`, whatever characters it has.
///
/// An identifier can't hold a NUL character; a statement that has one is refused before it is sent.
public func quoteIdentifier(_ name: String) -> String {
    "\"" + doubled("\"", in: name) + "\""
}

/// The text as an SQL literal, correct under either setting of `standard_conforming_strings`.
///
/// For configured names and our own constants. Values of users belong into parameters.
public func quoteLiteral(_ text: String) -> String {
    let quoted = "'" + doubled("'", in: text) + "'"
    return text.unicodeScalars.contains("\\") ? " E" + doubled("\\", in: quoted) : quoted
}

/// Works on scalars, not characters: a quote with a combining accent behind it is a quote to the server.
private func doubled(_ mark: Unicode.Scalar, in text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        if scalar == mark { result.append(scalar) }
        result.append(scalar)
    }
    return String(result)
}
