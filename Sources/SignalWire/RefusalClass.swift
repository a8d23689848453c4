/// What kind of answer it is that isn't a 2xx, from its status and the codes in it. The table of "Answers".
enum RefusalClass: Sendable, Hashable, CaseIterable {
    /// 3xx: not followed, because the credentials would go along.
    case redirected
    /// Credentials, scope, balance or plan: no user can be pushed.
    case account
    case throttled
    /// It passes: the server, or something before it, is in trouble.
    case unavailable
    /// The same request would meet the same answer.
    case rejected

    /// Codes say more than the status does, wherever they stand in the list, except over a 5xx: what a
    /// broken server says of the account is not believed.
    init(status: Int, codes: [String]) {
        switch status {
        case 300..<400: self = .redirected
        case 400..<500 where codes.contains(where: Complaint.accountCodes.contains): self = .account
        case 400..<600 where codes.contains(Complaint.throttleCode): self = .throttled
        case 429: self = .throttled
        case 401, 403: self = .account
        case 408, 425: self = .unavailable
        case 400..<500: self = .rejected
        default: self = .unavailable
        }
    }

    /// Whether a code is the one that this class comes from.
    func isDecided(by code: String) -> Bool {
        switch self {
        case .account: Complaint.accountCodes.contains(code)
        case .throttled: code == Complaint.throttleCode
        case .redirected, .unavailable, .rejected: false
        }
    }
}
