import Postgres
import SignalWire
import SyncCore
import SyncStore

/// SignalWire's list beside the users table: the list is read once and made small, the table page by page.
struct RemoteSurvey {
    /// The database's time before the list was begun: who is called later may be other than the list says.
    let start: String
    let directory: RemoteDirectory
    private let store: Store
    private let context: CommandContext

    /// Reads the whole list, then notes whose references and subscribers are whose.
    static func take(_ store: Store, _ context: CommandContext) async throws -> RemoteSurvey {
        let client = SubscriberClient(settings: try context.signalWire())
        let start = try await context.checked { () async throws(StoreError) in try await store.clock() }
        let listed = try await list(from: client)
        await client.shutdown()
        var directory = listed
        let survey = RemoteSurvey(start: start, directory: listed, store: store, context: context)
        try await survey.forEachPage("users seen") { users in
            for user in users { directory.note(user) }
        }
        return RemoteSurvey(start: start, directory: directory, store: store, context: context)
    }

    private static func list(from client: SubscriberClient) async throws -> RemoteDirectory {
        var directory = RemoteDirectory()
        var ticker = Ticker()
        var list = SubscriberList(of: client)
        defer { ticker.end() }
        do throws(SubscriberList.Failure) {
            while let page = try await list.next() {
                for subscriber in page.subscribers { directory.add(subscriber) }
                directory.addUnreadable(page.unreadable)
                ticker.show("\(counted(directory.count, "subscriber")) listed")
            }
        } catch {
            await client.shutdown()
            switch error {
            case .refused(let answer): throw Failure(answer)
            case .cancelled: throw CancellationError()
            }
        }
        return directory
    }

    /// Hands on all users of the table in the order of its key, page by page.
    ///
    /// - Parameter progress: what is counted, for a terminal.
    func forEachPage(_ progress: String, _ body: ([ComparedUser]) async throws -> Void) async throws {
        var last: UserKey?
        var count = 0
        var ticker = Ticker()
        defer { ticker.end() }
        while true {
            let after = last
            let users = try await context.checked { () async throws(StoreError) in
                try await store.comparedPage(after: after, limit: Store.resyncPage, since: start)
            }
            guard let end = users.last?.claim.user else { return }
            try await body(users)
            last = end
            count += users.count
            ticker.show("\(count) \(progress)")
        }
    }
}

extension RemoteDirectory {
    /// A subscriber belongs to the user who is known by its id; else to whoever has its reference.
    fileprivate mutating func note(_ user: ComparedUser) {
        switch user.claim.source {
        case .present(let reference, _, _): note(reference, user.claim.subscriber)
        case .outOfScope, .withoutProfile, .deleted: note(nil, user.claim.subscriber)
        }
    }
}

/// A count, and a few of those who were counted.
struct Sampled: Sendable {
    static let most = 5

    private(set) var count = 0
    private(set) var sample: [String] = []

    init() {}

    init(count: Int, sample: [String]) {
        self.count = count
        self.sample = sample
    }

    mutating func add(_ name: String) {
        count += 1
        if sample.count < Sampled.most { sample.append(name) }
    }

    var text: String { sample.isEmpty ? "\(count)" : "\(count)  such as \(sample.joined(separator: ", "))" }

    var json: JSON { .object([("count", .int(count)), ("sample", .array(sample.map(JSON.string)))]) }
}
