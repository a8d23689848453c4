import SignalWire
import SyncCore

/// What SignalWire has for one user, field by field, without the values.
///
/// The list can't be asked for one subscriber, and the id of the resource isn't kept, so it is read until the
/// subscriber comes.
struct RemoteView {
    /// Who was found.
    enum Found {
        case byID(RemoteSubscriber)
        /// By the reference: the id is another, or none was known.
        case byReference(RemoteSubscriber)
        case several
        case nobody
    }

    let found: Found
    let fields: [(ProfileField, RemoteRecord.FieldState)]

    static func look(for claim: Claim, columns: [ProfileField: String], _ context: CommandContext) async throws -> Self
    {
        let client = SubscriberClient(settings: try context.signalWire())
        let found: Found
        do throws(SubscriberList.Failure) {
            found = try await search(for: claim, in: SubscriberList(of: client))
        } catch {
            await client.shutdown()
            switch error {
            case .refused(let answer): throw Failure(answer)
            case .cancelled: throw CancellationError()
            }
        }
        await client.shutdown()
        return RemoteView(found, claim, columns)
    }

    private static func search(
        for claim: Claim, in list: SubscriberList
    ) async throws(SubscriberList.Failure) -> Found {
        var list = list
        var ticker = Ticker()
        var (read, alike): (Int, [RemoteSubscriber]) = (0, [])
        let folded = (claim.admitted ?? claim.reference)?.folded
        defer { ticker.end() }
        while let page = try await list.next() {
            for subscriber in page.subscribers {
                if subscriber.id == claim.subscriber { return .byID(subscriber) }
                if let folded, subscriber.reference?.folded == folded, alike.count < 2 { alike.append(subscriber) }
            }
            read += page.subscribers.count
            ticker.show("\(counted(read, "subscriber")) listed")
        }
        return alike.count > 1 ? .several : alike.first.map(Found.byReference) ?? .nobody
    }

    private init(_ found: Found, _ claim: Claim, _ columns: [ProfileField: String]) {
        self.found = found
        switch (claim.source, found.subscriber.map(RemoteRecord.init)) {
        case (.present(_, let profile, _), .some(let record)):
            fields = columns.keys.sorted().map { ($0, record.state(of: $0, beside: profile)) }
        case (.present, nil), (.outOfScope, _), (.withoutProfile, _), (.deleted, _): fields = []
        }
    }

    private var sentence: String {
        switch found {
        case .byID: "the subscriber is there"
        case .byReference: "another subscriber has the reference than the one that is known, or none was known"
        case .several: "several subscribers have the reference, compared without case"
        case .nobody: "nobody in the list has the id or the reference"
        }
    }

    var table: String {
        var pairs = [("at SignalWire", sentence)]
        if let subscriber = found.subscriber {
            pairs += [("its id", subscriber.id.text), ("its resource", subscriber.resource?.description ?? "none")]
        }
        guard !fields.isEmpty else { return "\n" + Table.pairs(pairs) }
        var table = Table(["FIELD", "SIGNALWIRE HAS"])
        table.rows = fields.map { [$0.rawValue, $1.rawValue] }
        return "\n" + Table.pairs(pairs) + "\n" + table.text
    }

    var json: JSON {
        .object([
            ("found", .string(found.word)), ("subscriber_id", .optional(found.subscriber?.id.text)),
            ("resource_id", .optional(found.subscriber?.resource?.description)),
            ("fields", .object(fields.map { ($0.rawValue, .string($1.rawValue)) })),
        ])
    }
}

extension RemoteView.Found {
    var subscriber: RemoteSubscriber? {
        switch self {
        case .byID(let subscriber), .byReference(let subscriber): subscriber
        case .several, .nobody: nil
        }
    }

    fileprivate var word: String {
        switch self {
        case .byID: "by_id"
        case .byReference: "by_reference"
        case .several: "several"
        case .nobody: "nobody"
        }
    }
}

extension Claim {
    fileprivate var reference: Reference? {
        switch source {
        case .present(let reference, _, _): reference
        case .outOfScope, .withoutProfile, .deleted: nil
        }
    }
}

extension UserView {
    /// - Parameter there: what SignalWire has, where it was asked for.
    func json(with there: RemoteView?) -> JSON {
        switch (json, there) {
        case (.object(let members), .some(let there)): .object(members + [("remote", there.json)])
        case (.object, nil), (.null, _), (.bool, _), (.int, _), (.number, _), (.string, _), (.array, _): json
        }
    }
}
