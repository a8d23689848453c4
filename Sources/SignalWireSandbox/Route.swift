/// Where a request leads, from its method and path alone.
enum Route: Sendable, Hashable {
    case mintToken, refreshToken
    case list, create
    case read(resourceID: String), update(resourceID: String), delete(resourceID: String)
    case control(Control)

    /// What tests and scripts ask of the sandbox itself.
    enum Control: Sendable, Hashable {
        case readState, seedState, forgetState, readStatistics, readFaults, setFaults, clearFaults
    }

    /// Why a request leads nowhere.
    enum Miss: Error, Hashable {
        case unknownPath
        /// The path exists, but not for this method.
        case otherMethods([String])
    }

    static let tokensPath = "/api/fabric/subscribers/tokens"
    static let subscribersPath = "/api/fabric/resources/subscribers"

    /// Whether the request has a body to read.
    var hasBody: Bool {
        switch self {
        case .mintToken, .refreshToken, .create, .update, .control(.setFaults), .control(.seedState): true
        case .list, .read, .delete, .control: false
        }
    }

    init(method: String, path: String) throws(Miss) {
        let routes = try Self.routes(at: path)
        guard let route = routes.first(where: { $0.method == method })?.route else {
            throw .otherMethods(routes.map(\.method))
        }
        self = route
    }

    private static func routes(at path: String) throws(Miss) -> [(method: String, route: Route)] {
        switch path {
        case tokensPath: [("POST", .mintToken)]
        case tokensPath + "/refresh": [("POST", .refreshToken)]
        case subscribersPath: [("GET", .list), ("POST", .create)]
        case "/__sandbox/state":
            [("GET", .control(.readState)), ("POST", .control(.seedState)), ("DELETE", .control(.forgetState))]
        case "/__sandbox/stats": [("GET", .control(.readStatistics))]
        case "/__sandbox/faults":
            [("GET", .control(.readFaults)), ("PUT", .control(.setFaults)), ("DELETE", .control(.clearFaults))]
        default: try resourceRoutes(at: path)
        }
    }

    /// The routes of one resource. An id that can't be one is found to be unknown later, like any other.
    private static func resourceRoutes(at path: String) throws(Miss) -> [(method: String, route: Route)] {
        let prefix = subscribersPath + "/"
        let id = String(path.dropFirst(prefix.count))
        guard path.hasPrefix(prefix), !id.isEmpty, !id.contains("/") else { throw .unknownPath }
        return [
            ("GET", .read(resourceID: id)), ("PUT", .update(resourceID: id)), ("DELETE", .delete(resourceID: id)),
        ]
    }
}
