/// Why a text names no space. It never repeats the text, which may hold somebody's password.
public enum SpaceError: Error, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case empty
    /// Neither `https` nor `http`.
    case unknownScheme
    /// `http` to a host that isn't this machine: the credentials would travel readable.
    case insecure
    /// Something before an `@`.
    case userInfo
    case path
    case queryOrFragment
    case invalidHost
    case invalidPort

    /// What is wrong, to stand behind what the space is called.
    public var what: String {
        switch self {
        case .empty: "is empty"
        case .unknownScheme: "has a scheme other than https"
        case .insecure: "is a plain http address of another machine"
        case .userInfo: "holds a user name or a password"
        case .path: "has a path"
        case .queryOrFragment: "has a query or a fragment"
        case .invalidHost: "is not a valid name or host"
        case .invalidPort: "has an invalid port"
        }
    }

    /// What is wrong, in one sentence.
    public var message: String { "The SignalWire space \(what)." }

    /// What to do about it, in one sentence.
    public var hint: String {
        switch self {
        case .empty, .invalidHost:
            "Set it to the name of your space, such as acme, or to its host, such as acme.signalwire.com."
        case .unknownScheme: "Leave the scheme out, or write https://."
        case .insecure: "Use https; plain http is for loopback addresses only, such as the sandbox's."
        case .userInfo: "Leave out everything up to the @; the credentials have settings of their own."
        case .path, .queryOrFragment: "Leave out everything after the host, such as acme.signalwire.com."
        case .invalidPort: "A port is a number from 1 to 65535; leave it out for the usual one."
        }
    }

    public var description: String { "\(message) \(hint)" }
}
