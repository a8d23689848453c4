import FoundationEssentials
import SyncCore

/// One page of SignalWire's list of subscribers. It holds profiles, so it prints redacted.
public struct SubscriberPage: Sendable {
    public let subscribers: [RemoteSubscriber]
    /// Entries without a well-formed id of a subscriber: counted, since nothing more can be done with them.
    public let unreadable: Int
    /// Where the list goes on; `nil`: it ends here.
    public let next: ListCursor?
}

/// What came of asking for a page.
public enum ListAnswer: Sendable {
    case page(SubscriberPage)
    /// The same answer that a push would have met; never `accepted`.
    case refused(PushAnswer)
}

extension SubscriberPage {
    /// Why a good answer is no page.
    enum Defect: Error {
        case malformed, leadsAway

        var outcome: PushOutcome {
            switch self {
            case .malformed: .unavailable(.malformedList, .answered)
            case .leadsAway: .rejected(.foreignLink)
            }
        }
    }

    init(_ body: Data, of space: Space) throws(Defect) {
        guard let read = try? JSONDecoder().decode(ListBody.self, from: body) else { throw .malformed }
        let cursor = read.links.next.map { ListCursor(link: $0, of: space) }
        if case .some(.none) = cursor { throw .leadsAway }
        next = cursor.flatMap(\.self)
        subscribers = read.data.compactMap(\.subscriber)
        unreadable = read.data.count - subscribers.count
    }
}

extension SubscriberPage: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "‹page of \(subscribers.count) subscribers›" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Problem {
    fileprivate static let malformedList = Problem(
        code: "malformed_answer", message: "SignalWire's answer is not a list of subscribers.")

    fileprivate static let foreignLink = Problem(
        code: "foreign_link",
        message: "The list goes on at another place than the space, which is not followed with credentials; "
            + "set SIGNALWIRE_SPACE to the host that answers itself.")
}

/// `SubscriberListResponse` of SignalWire's OpenAPI document, as far as it is read. Both members are required: a list
/// that doesn't say whether it goes on would look as if it ended.
private struct ListBody: Decodable {
    struct Links: Decodable {
        /// Absent on the last page.
        let next: String?
    }

    let data: [ListEntry]
    let links: Links
}

/// `SubscriberResponse`: the resource, with the subscriber inside. Its own display name is the subscriber's again.
private struct ListEntry: Decodable {
    private enum Key: String, CodingKey {
        case id, subscriber
    }

    private struct Member: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    /// `nil` where no subscriber can be made of it.
    let subscriber: RemoteSubscriber?

    init(from decoder: any Decoder) throws {
        guard let outer = try? decoder.container(keyedBy: Key.self),
            let inner = try? outer.nestedContainer(keyedBy: Member.self, forKey: .subscriber),
            let id = Self.text("id", in: inner).flatMap({ SubscriberID($0) })
        else {
            subscriber = nil
            return
        }
        let resource = (try? outer.decode(String.self, forKey: .id)).flatMap(ResourceID.init)
        subscriber = RemoteSubscriber(
            resource: resource, id: id, reference: Self.reference(Self.text("email", in: inner)),
            fields: Self.fields(in: inner))
    }

    /// One that isn't trimmed is none that we could send.
    private static func reference(_ raw: String?) -> Reference? {
        Reference(known: raw).flatMap { $0.text == raw ? $0 : nil }
    }

    private static func fields(in inner: KeyedDecodingContainer<Member>) -> [ProfileField: String] {
        var fields: [ProfileField: String] = [:]
        for field in ProfileField.allCases {
            if let name = field.nameInList { fields[field] = text(name, in: inner) }
        }
        return fields
    }

    /// The schema knows no null; should one come, the field is blank.
    private static func text(_ name: String, in inner: KeyedDecodingContainer<Member>) -> String? {
        let key = Member(name)
        if (try? inner.decodeNil(forKey: key)) == true { return "" }
        return try? inner.decode(String.self, forKey: key)
    }
}

extension ProfileField {
    /// How the resource endpoints spell it; `nil`: they don't have it.
    fileprivate var nameInList: String? {
        switch self {
        case .firstName, .lastName, .displayName, .jobTitle, .companyName, .country: rawValue
        case .timeZone: "timezone"
        case .region: nil
        }
    }
}
