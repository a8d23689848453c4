import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// Turns an HTTP request into a ``Call``, or into the answer that refuses it, checking in the order
/// of a real server: path, method, credentials, media type, size, JSON, schema.
struct Intake: Sendable {
    let credentials: SandboxOptions.Credentials

    /// The most that a request's body may have.
    static let maxBodyBytes = 65_536

    /// What a request turned out to be.
    enum Finding: Sendable {
        case call(Call, Caller)
        /// For the sandbox itself; the body is empty where the route has none.
        case control(Route.Control, body: Data)
        /// Not a request that the API takes. `isControl`: not one to the API at all.
        case refused(Answer, isControl: Bool = false)
    }

    func read(_ request: Request, path: String) async throws -> Finding {
        let route: Route
        do {
            route = try Route(method: request.method.rawValue, path: path)
        } catch {
            return .refused(answer(to: error), isControl: path.hasPrefix("/__sandbox/"))
        }
        if case .control(let control) = route { return try await readControl(control, request, route) }
        guard let projectID = credentials.projectID(from: request.headers[.authorization]) else {
            return .refused(.unauthorized)
        }
        let caller = Caller(projectID: projectID, authority: request.head.authority ?? "")
        guard route.hasBody else { return readQuery(route, request, caller) }
        guard isJSON(request.headers[.contentType]) else { return .refused(.notJSON) }
        guard let body = try await collect(request.body) else { return .refused(.tooLarge) }
        return readBody(route, body, caller)
    }

    private func answer(to miss: Route.Miss) -> Answer {
        switch miss {
        case .unknownPath: .notFound
        case .otherMethods(let methods): .notAllowed(instead: methods)
        }
    }

    private func readControl(_ control: Route.Control, _ request: Request, _ route: Route) async throws -> Finding {
        guard route.hasBody else { return .control(control, body: Data()) }
        guard let body = try await collect(request.body) else { return .refused(.tooLarge, isControl: true) }
        return .control(control, body: body)
    }

    private func readQuery(_ route: Route, _ request: Request, _ caller: Caller) -> Finding {
        switch route {
        case .read(let id): return .call(.read(resourceID: id), caller)
        case .delete(let id): return .call(.delete(resourceID: id), caller)
        case .list:
            let query = request.uri.queryParameters
            do throws(PageRequest.Problem) {
                return .call(.list(try PageRequest(query: { query[Substring($0)].map(String.init) })), caller)
            } catch {
                switch error {
                case .invalid(let item): return .refused(.invalid([item]))
                }
            }
        case .mintToken, .refreshToken, .create, .update, .control: return .refused(.badRequest)
        }
    }

    private func readBody(_ route: Route, _ body: Data, _ caller: Caller) -> Finding {
        guard let value = JSONValue.parse(body) else { return .refused(.badRequest) }
        guard case .object(let members) = value else { return .refused(.notAnObject) }
        guard let schema = route.schema else { return .refused(.badRequest) }
        let problems = schema.problems(in: members, at: Date().timeIntervalSince1970)
        guard problems.isEmpty, let call = route.call(members) else { return .refused(.invalid(problems)) }
        return .call(call, caller)
    }

    /// The body, or `nil` where it is larger than we take.
    private func collect(_ body: RequestBody) async throws -> Data? {
        do {
            return Data(try await body.collect(upTo: Self.maxBodyBytes).readableBytesView)
        } catch is NIOTooManyBytesError {
            return nil
        }
    }

    /// `application/json`, with or without parameters.
    private func isJSON(_ contentType: String?) -> Bool {
        guard let contentType else { return false }
        let mediaType = contentType.prefix { $0 != ";" && $0 != " " }
        return mediaType.lowercased() == "application/json"
    }
}

extension Route {
    /// What the body must look like; `nil` for routes without a schema.
    fileprivate var schema: Schema? {
        switch self {
        case .mintToken: TokenRequest.schema
        case .refreshToken: RefreshRequest.schema
        case .create, .update: ResourceRequest.schema
        case .list, .read, .delete, .control: nil
        }
    }

    /// The call that a body in order makes of the route.
    fileprivate func call(_ members: [String: JSONValue]) -> Call? {
        switch self {
        case .mintToken: .mintToken(TokenRequest(members))
        case .refreshToken: .refreshToken(RefreshRequest(members))
        case .create: .create(ResourceRequest(members))
        case .update(let id): .update(resourceID: id, ResourceRequest(members))
        case .list, .read, .delete, .control: nil
        }
    }
}

extension Answer {
    fileprivate static var notAnObject: Answer {
        .invalid([.init(code: "invalid_parameter", message: "The body must be a JSON object", attribute: nil)])
    }
}
