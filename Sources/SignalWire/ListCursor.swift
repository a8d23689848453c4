/// Where a page of the list of subscribers is: a path with its query, on the space's own host.
public struct ListCursor: Sendable, Hashable, CustomStringConvertible {
    let path: String

    static let listPath = "/api/fabric/resources/subscribers"
    /// The usual size is 50; which one is the largest isn't published. Whatever comes, links lead on.
    static let first = ListCursor(path: listPath + "?page_size=100")

    private init(path: String) { self.path = path }

    /// Reads a link of an answer. It is followed only where it leads to the list on the same host, because the
    /// credentials go along.
    ///
    /// - Returns: `nil` where it leads anywhere else.
    init?(link: String, of space: Space) {
        guard link.utf8.count <= 4096, link.utf8.allSatisfy(\.isPrintable), let colon = link.firstRange(of: "://")
        else {
            return nil
        }
        let end = link[colon.upperBound...].firstIndex(of: "/") ?? link.endIndex
        guard let host = try? Space(parsing: String(link[..<end])), host == space else { return nil }
        let rest = String(link[end...])
        let tail = rest.dropFirst(Self.listPath.count)
        guard rest.hasPrefix(Self.listPath), tail.isEmpty || tail.hasPrefix("?"), !tail.contains("#") else {
            return nil
        }
        path = rest
    }

    /// A page's token is no secret, and no reading either.
    public var description: String { "‹page of the list›" }
}
