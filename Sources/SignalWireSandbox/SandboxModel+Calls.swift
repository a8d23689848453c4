import FoundationEssentials
import NIOConcurrencyHelpers

/// What each call does, and its right answer.
extension SandboxModel {
    /// Does what a call asks for. Ids are named in the answer unless a fault wants them left out.
    func apply(_ call: Call, by caller: Caller, namingIDs: Bool = true) -> Answer {
        let now = Date().timeIntervalSince1970
        switch call {
        case .mintToken(let request): return mintToken(request, namingIDs: namingIDs, at: now)
        case .refreshToken(let request): return refreshToken(request, at: now)
        case .list(let page): return list(page, by: caller)
        case .create(let request): return create(request, by: caller, at: now)
        case .read(let id): return resource(memory.withLockedValue { $0.book.subscriber(resourceID: id) }, by: caller)
        case .update(let id, let request): return update(id, request, by: caller, at: now)
        case .delete(let id):
            return memory.withLockedValue { $0.book.delete(resourceID: id) } ? Answer(204) : .notFound
        }
    }

    private func mintToken(_ request: TokenRequest, namingIDs: Bool, at now: Double) -> Answer {
        let subscriber = memory.withLockedValue { $0.upsert(request.reference, request.profile, at: now) }
        let expiresAt = request.expiresAt.map(Double.init) ?? now + 7_200
        return Answer(
            200, json: TokenResponse(for: subscriber.subscriberID, namingIt: namingIDs, expiresAt: expiresAt, at: now))
    }

    /// A new pair of tokens for one that was made here. Whether the subscriber still exists isn't
    /// asked: a token outlives its subscriber, as signed ones do.
    private func refreshToken(_ request: RefreshRequest, at now: Double) -> Answer {
        switch SandboxToken.readRefresh(request.refreshToken, at: now) {
        case .valid(let id):
            Answer(201, json: TokenResponse(for: id, namingIt: false, expiresAt: now + 7_200, at: now))
        case .expired:
            .invalid([.init(code: "token_expired", message: "Token has expired.", attribute: "refresh_token")])
        case .foreign: .invalid([.invalid("refresh_token", "is invalid")])
        }
    }

    private func create(_ request: ResourceRequest, by caller: Caller, at now: Double) -> Answer {
        let created = memory.withLockedValue { memory -> SandboxSubscriber? in
            guard memory.book.subscriber(reference: request.email) == nil else { return nil }
            return memory.upsert(request.email, request.profile, at: now)
        }
        guard let created else { return .emailTaken }
        return Answer(201, json: ResourceResponse(created, projectID: caller.projectID))
    }

    private func update(_ id: String, _ request: ResourceRequest, by caller: Caller, at now: Double) -> Answer {
        let (isTaken, updated) = memory.withLockedValue { memory -> (Bool, SandboxSubscriber?) in
            let holder = memory.book.subscriber(reference: request.email)
            guard holder == nil || holder?.resourceID == id else { return (true, nil) }
            let updated = memory.book.update(
                resourceID: id, reference: request.email, profile: request.profile, at: now)
            if updated != nil { memory.counted.updated += 1 }
            return (false, updated)
        }
        return isTaken ? .emailTaken : resource(updated, by: caller)
    }

    private func resource(_ subscriber: SandboxSubscriber?, by caller: Caller) -> Answer {
        guard let subscriber else { return .notFound }
        return Answer(200, json: ResourceResponse(subscriber, projectID: caller.projectID))
    }

    private func list(_ request: PageRequest, by caller: Caller) -> Answer {
        let book = memory.withLockedValue { $0.book }
        let (skipped, isTooFar) = request.number.multipliedReportingOverflow(by: request.size)
        let start = request.start ?? book.slot(skipping: isTooFar ? Int.max : skipped)
        let page = book.page(from: start, limit: request.size)
        let link = { (page: PageRequest) in "http://\(caller.authority)\(Route.subscribersPath)?\(page.query)" }
        let previous = request.number > 0 ? PageRequest(number: request.number - 1, size: request.size) : nil
        let next = page.next.map { PageRequest(number: request.number + 1, size: request.size, start: $0) }
        let links = ListResponse.Links(
            this: link(request), first: link(PageRequest(size: request.size)), next: next.map(link),
            prev: previous.map(link))
        let data = page.subscribers.map { ResourceResponse($0, projectID: caller.projectID) }
        return Answer(200, json: ListResponse(data: data, links: links))
    }
}

extension Answer {
    fileprivate static var emailTaken: Answer {
        .invalid([.init(code: "value_not_unique", message: "Email has already been taken", attribute: "email")])
    }
}
