import Foundation
import Synchronization
import SyncCore
import Testing

@testable import SignalWire

@Suite("The list of subscribers")
struct SubscriberListTests {
    static let id = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f"
    static let list = "/api/fabric/resources/subscribers"

    /// The n-th subscriber as the list has it, with planted values.
    static func entry(_ number: Int, email: String? = nil) -> String {
        """
        {"id":"d369a402-7b43-4512-8735-9d5e1f38781\(number)","project_id":"p","display_name":"Planted","type":"subscriber",\
        "created_at":"2024-05-06T12:20:00Z","updated_at":"2024-05-06T12:20:00Z","subscriber":{"id":"\(id)\(number)",\
        "email":"\(email ?? "planted\(number)@x")","first_name":"Planted","last_name":"","display_name":null,\
        "job_title":"Nurse","timezone":"Europe/London","country":"GB","company_name":7}}
        """
    }

    static func page(_ entries: [String], next: String? = nil) -> String {
        let link = next.map { #","next":"\#($0)""# } ?? ""
        return answer(
            "200 OK", #"{"data":[\#(entries.joined(separator: ","))],"links":{"self":"s","first":"f"\#(link)}}"#)
    }

    /// Reads a list to its end from a server that plays these, and links between its pages by their numbers.
    static func read(
        _ replies: [WireServer.Reply], next: @escaping @Sendable (Int) -> String? = { _ in nil },
        patience: SubscriberList.Patience = .short
    ) async throws -> (pages: [SubscriberPage], requests: [String], failure: SubscriberList.Failure?) {
        let port = Mutex(0)
        let server = try WireServer { index in
            if index < replies.count { return replies[index] }
            let base = "http://127.0.0.1:\(port.withLock { $0 })"
            return .bytes(page([entry(index % 10)], next: next(index)?.replacing("BASE", with: base)))
        }
        port.withLock { $0 = server.port }
        return try await withClient(server, timeout: .seconds(2)) { client in
            var list = SubscriberList(of: client, patience: patience)
            var pages: [SubscriberPage] = []
            do throws(SubscriberList.Failure) {
                while let page = try await list.next() { pages.append(page) }
            } catch {
                return (pages, server.requests, error)
            }
            return (pages, server.requests, nil)
        }
    }

    @Test("is read in the spellings of the list, blank where null stands, and unknown where nothing fits")
    func reads() async throws {
        let read = try await Self.read([])
        #expect(read.failure == nil && read.requests.count == 1)
        #expect(read.requests.first?.hasPrefix("GET \(Self.list)?page_size=100 HTTP/1.1\r\n") == true)
        let subscriber = try #require(read.pages.first?.subscribers.first)
        #expect(subscriber.id.text == Self.id + "0" && subscriber.reference?.text == "planted0@x")
        #expect(subscriber.resource?.description == "d369a402-7b43-4512-8735-9d5e1f387810")
        #expect(
            subscriber.fields == [
                .firstName: "Planted", .lastName: "", .displayName: "", .jobTitle: "Nurse", .timeZone: "Europe/London",
                .country: "GB",
            ])
        #expect(!everyPrint(of: read.pages).contains("lanted"))
        #expect(!everyPrint(of: subscriber).contains("lanted"))
    }

    @Test("follows links.next to its end on the same host, and nowhere else")
    func follows() async throws {
        let read = try await Self.read([]) { $0 < 4 ? "BASE\(Self.list)?page_number=\($0 + 1)&page_token=PA7" : nil }
        #expect(read.failure == nil && read.pages.count == 5)
        #expect(read.requests.last?.hasPrefix("GET \(Self.list)?page_number=4&page_token=PA7 ") == true)
        #expect(read.requests.allSatisfy { $0.contains("authorization: Basic ") })
        let away = [
            "https://127.0.0.1:1\(Self.list)?page_number=1", "http://evil.example\(Self.list)?page_number=1",
            "BASE/api/fabric/resources/addresses", "BASE\(Self.list)/../x", "BASE@evil.example\(Self.list)", "", "BASE",
            "\(Self.list)?page_number=1", "BASE\(Self.list)?a=\\r\\nHost: x", "BASE\(Self.list)?a=#b",
        ]
        for link in away {
            let read = try await Self.read([]) { _ in link }
            #expect(read.requests.count == 1, "\(link)")
            guard case .refused(let answer) = read.failure else {
                Issue.record("\(link) was followed")
                continue
            }
            #expect(answer.outcome.problem?.code == "foreign_link")
        }
    }

    @Test("that goes round in circles, or on for ever, ends")
    func ends() async throws {
        let circle = try await Self.read([]) { "BASE\(Self.list)?page_number=\($0 % 3)" }
        #expect(circle.failure?.code == "endless_list" && circle.requests.count == 4)
        let endless = try await Self.read(
            [], next: { "BASE\(Self.list)?page_number=\($0)" }, patience: .short(pages: 7))
        #expect(endless.failure?.code == "endless_list" && endless.requests.count == 7)
    }

    @Test("is asked for again after a throttle, a 5xx, a cut or reset answer, and one that is no list")
    func insists() async throws {
        let cut = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"data\":["
        let read = try await Self.read([
            .bytes(answer("429 Slow", "", headers: ["Retry-After: 0"])), .bytes(answer("503 No")), .bytesThenClose(cut),
            .reset, .bytes(answer("200 OK", "<html>")), .bytes(answer("200 OK", #"{"data":[]}"#)),
        ])
        #expect(read.failure == nil && read.pages.count == 1 && read.requests.count == 7)
    }

    @Test("is given up after so many bad answers, and at once where the account or the call is refused")
    func givesUp() async throws {
        let down = try await Self.read(Array(repeating: .bytes(answer("500 No")), count: 99))
        #expect(down.failure?.code == "http_500" && down.requests.count == 8)
        for status in ["401 No", "403 No", "404 No", "422 No", "302 Found"] {
            let read = try await Self.read([.bytes(answer(status))])
            #expect(read.failure != nil && read.requests.count == 1, "\(status)")
        }
    }

    @Test("may have pages far larger than the answer to a push, but not any size")
    func bounded() async throws {
        let large = Self.entry(1, email: String(repeating: "x", count: 1_000_000) + "@x")
        let read = try await Self.read([.bytes(Self.page([large]))])
        #expect(read.failure == nil && read.pages.first?.subscribers.count == 1)
        let huge = Self.entry(1, email: String(repeating: "x", count: 5_000_000))
        let refused = try await Self.read(Array(repeating: .bytes(Self.page([huge])), count: 8))
        #expect(refused.failure?.code == "answer_too_large")
    }

    @Test("counts entries that name no subscriber, and takes no reference that couldn't be sent")
    func lenient() async throws {
        let entries = [
            Self.entry(1, email: " a@x"), Self.entry(2, email: ""), "7", "{}", #"{"id":"r","subscriber":{"id":"no"}}"#,
            #"{"id":"r","subscriber":{"id":"\#(Self.id)3","email":"b@x"}}"#,
        ]
        let page = try #require(try await Self.read([.bytes(Self.page(entries))]).pages.first)
        #expect(page.unreadable == 3)
        #expect(page.subscribers.map(\.reference?.text) == [nil, nil, "b@x"])
        #expect(page.subscribers.last?.resource == nil && page.subscribers.last?.fields == [:])
    }
}

extension SubscriberList.Patience {
    static let short = short()

    static func short(pages: Int = 1000) -> Self {
        SubscriberList.Patience(backoff: Backoff(base: .nanoseconds(1), cap: .nanoseconds(2)), pages: pages)
    }
}

extension SubscriberList.Failure {
    fileprivate var code: String? {
        switch self {
        case .refused(let answer): answer.outcome.problem?.code
        case .cancelled: "cancelled"
        }
    }
}
