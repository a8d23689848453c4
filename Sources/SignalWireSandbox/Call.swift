/// A request to the API that is in order: routed, let in, and its body fits the schema.
enum Call: Sendable, Hashable {
    case mintToken(TokenRequest)
    case refreshToken(RefreshRequest)
    case list(PageRequest)
    case create(ResourceRequest)
    case read(resourceID: String)
    case update(resourceID: String, ResourceRequest)
    case delete(resourceID: String)
}

/// Who calls, and by which name the sandbox was called.
struct Caller: Sendable, Hashable {
    let projectID: String
    /// The host and port of the request, for links that lead back to the same place.
    let authority: String
}
