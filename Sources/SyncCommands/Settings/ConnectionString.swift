/// What of a libpq connection string may be shown.
///
/// By what is known to be harmless, never by cutting out what is known to be secret: a password with an
/// unescaped `@` or `/` puts its rest where a host or a database would be.
enum ConnectionString {
    /// The string with everything but harmless options redacted; redacted as a whole where its form leaves doubt.
    static func withoutSecrets(_ dsn: String) -> String {
        let isURI = dsn.hasPrefix("postgresql://") || dsn.hasPrefix("postgres://")
        return (isURI ? shownURI(dsn) : shownPairs(dsn)) ?? Secret.redacted
    }

    /// The options of libpq that name things and hold no secret.
    private static let harmless: Set<String> = [
        "host", "hostaddr", "port", "dbname", "user", "sslmode", "application_name", "connect_timeout",
        "target_session_attrs", "channel_binding", "gssencmode", "keepalives", "tcp_user_timeout",
    ]

    // MARK: postgresql://user:password@host:port/database?option=value

    private static func shownURI(_ uri: String) -> String? {
        guard let slashes = uri.firstRange(of: "://") else { return nil }
        let rest = uri[slashes.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let behind = rest[authority.endIndex...]
        let path = behind.prefix { $0 != "?" }
        let query = behind[path.endIndex...].dropFirst()
        let sides = authority.split(separator: "@", omittingEmptySubsequences: false)
        guard sides.count <= 2, !behind.contains("@"), let hosts = sides.last, hosts.allSatisfy(isHostCharacter),
            portsAreNumbers(hosts),
            path.dropFirst().allSatisfy(isPlain), let options = shownQuery(query)
        else { return nil }
        let user = sides.count == 2 ? shownUser(sides[0]) + "@" : ""
        return uri[..<slashes.upperBound] + user + hosts + path + options
    }

    private static func shownUser(_ user: Substring) -> String {
        guard let colon = user.firstIndex(of: ":") else { return String(user) }
        return user[..<colon] + ":***"
    }

    private static func shownQuery(_ query: Substring) -> String? {
        guard !query.isEmpty else { return "" }
        let pairs = query.split(separator: "&", omittingEmptySubsequences: false).map { shownOption($0) }
        guard pairs.allSatisfy({ $0 != nil }) else { return nil }
        return "?" + pairs.compactMap { $0 }.joined(separator: "&")
    }

    private static func shownOption(_ option: Substring) -> String? {
        guard let equals = option.firstIndex(of: "=") else { return nil }
        let (name, value) = (option[..<equals], option[option.index(after: equals)...])
        guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0 == "_") }) else { return nil }
        return "\(name)=" + (harmless.contains(String(name)) && value.allSatisfy(isPlain) ? value : "***")
    }

    /// A port that isn't digits may be the front of a password, as in `postgresql://user:pass/word@host`.
    private static func portsAreNumbers(_ hosts: Substring) -> Bool {
        hosts.split(separator: ",").allSatisfy { host in
            guard !host.hasSuffix("]"), let colon = host.lastIndex(of: ":") else { return true }
            return host[host.index(after: colon)...].allSatisfy { $0.isASCII && $0.isNumber }
        }
    }

    // MARK: host=… password='…'

    /// libpq lets white space stand around `=`, and quotes inside values; both leave doubt here.
    private static func shownPairs(_ text: String) -> String? {
        let shown = text.split(whereSeparator: \.isWhitespace).map { shownOption($0) }
        let isPlainText = !text.contains("'") && !text.contains("\\")
        guard isPlainText, shown.allSatisfy({ $0 != nil }) else { return nil }
        return shown.compactMap { $0 }.joined(separator: " ")
    }

    private static func isHostCharacter(_ character: Character) -> Bool {
        isPlain(character) || "[]:,".contains(character)
    }

    /// What names and addresses are made of; `/` and `%` for folders of sockets.
    private static func isPlain(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-_.%/".contains(character))
    }
}
