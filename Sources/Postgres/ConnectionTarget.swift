import CLibPQ

/// Where a connection goes: the parts of the settings that may be shown to anybody.
public struct ConnectionTarget: Sendable, Equatable, CustomStringConvertible {
    /// A name, an address, a folder of Unix sockets, or several separated by commas.
    public let host: String?
    public let port: String?
    public let database: String?
    public let user: String?

    /// Such as `host 127.0.0.1 port 5432 database app user app`; what libpq decides by itself is left out.
    public var description: String {
        let parts = [("host", host), ("port", port), ("database", database), ("user", user)]
        let named = parts.compactMap { name, value in value.map { "\(name) \($0)" } }
        return named.isEmpty ? "the default database" : named.joined(separator: " ")
    }
}

extension ConnectionSettings {
    /// Where the connection would go, for messages.
    public var target: String {
        guard let target = try? validated() else { return "an unreadable connection string" }
        return target.description
    }

    /// Reads the DSN as libpq will, without connecting.
    ///
    /// - Throws: `invalidSettings`, whose text never quotes the DSN. A password with an unescaped `@` or `/`
    ///   makes libpq take its rest for a host, port or database; this is refused here, before libpq's own
    ///   messages can show it.
    @discardableResult
    public func validated() throws(PostgresError) -> ConnectionTarget {
        let options = try parsedOptions()
        if ConnectionSettings.isURI(dsn) { try refuseSplitPassword(options) }
        let defaults = ConnectionSettings.defaultOptions()
        let option = { (name: String) in options[name] ?? defaults[name] }
        guard ConnectionSettings.arePorts(option("port") ?? "") else {
            throw PostgresError(
                .invalidSettings, "The option port of the connection string is not a number from 1 to 65535.",
                hint: "Correct it in the connection string, or in PGPORT; 5432 is the usual one.")
        }
        return ConnectionTarget(
            host: option("host") ?? option("hostaddr"), port: option("port"), database: option("dbname"),
            user: option("user"))
    }

    /// The seconds of `connect_timeout` in the DSN or in `PGCONNECT_TIMEOUT`, if any.
    var configuredConnectTimeout: Duration? {
        let options = (try? parsedOptions()) ?? [:]
        let text = options["connect_timeout"] ?? ConnectionSettings.defaultOptions()["connect_timeout"]
        guard let seconds = text.flatMap({ Int($0) }), seconds > 0 else { return nil }
        return .seconds(seconds)
    }

    private static func isURI(_ dsn: String) -> Bool {
        dsn.hasPrefix("postgresql://") || dsn.hasPrefix("postgres://")
    }

    private func parsedOptions() throws(PostgresError) -> [String: String] {
        guard !dsn.utf8.contains(0) else { throw ConnectionSettings.unreadable("it holds a NUL character") }
        var complaint: UnsafeMutablePointer<CChar>?
        guard let list = PQconninfoParse(dsn, &complaint) else {
            defer { PQfreemem(complaint) }
            throw ConnectionSettings.unreadable(
                ConnectionSettings.reason(of: complaint.map { String(cString: $0) } ?? ""))
        }
        defer { PQconninfoFree(list) }
        return ConnectionSettings.dictionary(list)
    }

    /// What libpq takes from the environment and from its service file.
    private static func defaultOptions() -> [String: String] {
        guard let list = PQconndefaults() else { return [:] }
        defer { PQconninfoFree(list) }
        return dictionary(list)
    }

    /// The list ends with an entry that has no keyword.
    private static func dictionary(_ list: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        var options: [String: String] = [:]
        var entry = list
        while let keyword = entry.pointee.keyword {
            if let value = entry.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            entry += 1
        }
        return options.filter { !$0.value.isEmpty }
    }

    /// One port for all hosts, or one for each; an empty one is the usual one.
    private static func arePorts(_ list: String) -> Bool {
        list.split(separator: ",").allSatisfy { UInt16($0).map { $0 > 0 } ?? false }
    }

    /// What libpq made of a password that isn't encoded, if it did: a port is digits, and a database has no `@`. A host
    /// may begin with one (an abstract Unix socket), where that is percent-encoded or the value of an option.
    private func refuseSplitPassword(_ options: [String: String]) throws(PostgresError) {
        let hosts = (options["host"] ?? "").split(separator: ",")
        let front = dsn[(dsn.firstRange(of: "://")?.upperBound ?? dsn.startIndex)...].prefix { $0 != "?" }.utf8
        let authority = front.prefix { $0 != UInt8(ascii: "/") }
        let isSocket = ["//%40", "@%40", ",%40", "host=%40", "host=@"].contains { dsn.contains($0) }
        let isSplit =
            authority.count { $0 == UInt8(ascii: "@") } > 1
            || front.dropFirst(authority.count).contains(UInt8(ascii: "@"))
            || hosts.contains { $0.dropFirst(isSocket ? 1 : 0).contains("@") }
            || (options["dbname"] ?? "").contains("@")
            || !(options["port"] ?? "").allSatisfy { $0.isASCII && ($0.isNumber || $0 == ",") }
        guard !isSplit else {
            throw ConnectionSettings.unreadable("a special character in its password or user is not percent-encoded")
        }
    }

    private static func unreadable(_ reason: String) -> PostgresError {
        PostgresError(
            .invalidSettings, "The connection string of PostgreSQL can't be read: \(reason).",
            hint: "Write postgresql://USER@HOST:PORT/DATABASE with special characters percent-encoded "
                + "(@ as %40, / as %2F), or host=… dbname=… user=….")
    }

    /// libpq's complaints quote the string, so only their kind is passed on.
    private static func reason(of complaint: String) -> String {
        let known = [
            ("invalid percent-encoded token", "a % is not followed by two hexadecimal digits"),
            ("forbidden value %00", "it holds %00"),
            ("invalid URI query parameter", "it has an option that libpq does not know"),
            ("invalid connection option", "it has an option that libpq does not know"),
            ("missing key/value separator", "an option behind the ? has no ="),
            ("extra key/value separator", "an option behind the ? has more than one ="),
            ("missing \"=\"", "it is neither a URI nor keyword=value pairs"),
            ("unterminated quoted string", "a quote is not closed"),
            ("end of string reached", "the bracket of an IPv6 address is not closed"),
            ("IPv6 host address may not be empty", "the IPv6 address is empty"),
        ]
        return known.first { complaint.hasPrefix($0.0) }?.1 ?? "libpq refuses its form"
    }
}
