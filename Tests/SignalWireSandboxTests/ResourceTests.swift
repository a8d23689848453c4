import Testing

@testable import SignalWireSandbox

@Suite("Subscribers as resources")
struct ResourceTests {
    private static func path(_ id: String) -> String { "\(Route.subscribersPath)/\(id)" }

    @Test("A subscriber that a token call created is a resource with another id")
    func showsSubscribers() async throws {
        try await withSandbox { sandbox, client in
            _ = try await client.mint(#"{"reference":"ada@x","display_name":"Ada","time_zone":"Europe/London"}"#)
            let held = try #require(sandbox.subscriber(reference: "ada@x"))
            let answer = try await client.answer("GET", Self.path(held.resourceID))
            #expect(answer.status == 200)
            #expect(
                answer.json.keys == [
                    "created_at", "display_name", "id", "project_id", "subscriber", "type", "updated_at",
                ])
            #expect(answer.json["project_id"] == .string("project"))
            #expect(answer.json["type"] == .string("subscriber"))
            let inner = try #require(answer.json["subscriber"])
            #expect(
                inner.keys == [
                    "company_name", "country", "display_name", "email", "first_name", "id", "job_title", "last_name",
                    "timezone",
                ])
            #expect(inner["id"]?.text == held.subscriberID)
            #expect(held.subscriberID != held.resourceID)
            #expect(inner["email"] == .string("ada@x"))
            #expect(inner["timezone"] == .string("Europe/London"))
            #expect(inner["country"] == .string(""))
        }
    }

    @Test("Creating, changing and deleting a resource is seen by token calls")
    func sharesOneBook() async throws {
        try await withSandbox { sandbox, client in
            let created = try await client.answer("POST", Route.subscribersPath, #"{"email":"a@x","timezone":"UTC"}"#)
            #expect(created.status == 201)
            let id = try #require(created.json["id"]?.text)
            let minted = try await client.mint(#"{"reference":"a@x","first_name":"Ada"}"#)
            #expect(minted.json["subscriber_id"] == created.json["subscriber"]?["id"])

            let changed = try await client.answer("PUT", Self.path(id), #"{"email":"b@x","country":"GB"}"#)
            #expect(changed.status == 200)
            let profile = ["first_name": "Ada", "country": "GB", "time_zone": "UTC"]
            #expect(sandbox.subscriber(reference: "b@x")?.profile == profile)
            #expect(sandbox.subscriber(reference: "a@x") == nil)

            let deleted = try await client.answer("DELETE", Self.path(id))
            #expect(deleted.status == 204)
            #expect(deleted.body.isEmpty)
            #expect(try await client.answer("DELETE", Self.path(id)).status == 404)
            let reborn = try await client.mint(#"{"reference":"b@x"}"#)
            #expect(reborn.json["subscriber_id"] != minted.json["subscriber_id"])
        }
    }

    @Test("An id that is unknown, or is a subscriber's instead of the resource's, is not found")
    func missesOtherIDs() async throws {
        try await withSandbox { sandbox, client in
            let minted = try await client.mint(#"{"reference":"a"}"#)
            let subscriberID = try #require(minted.json["subscriber_id"]?.text)
            for id in [subscriberID, "x", "00000000-0000-0000-0000-000000000000"] {
                #expect(try await client.answer("GET", Self.path(id)).status == 404)
                #expect(try await client.answer("PUT", Self.path(id), #"{"email":"z"}"#).status == 404)
                #expect(try await client.answer("DELETE", Self.path(id)).status == 404)
            }
            #expect(sandbox.snapshot().map(\.reference) == ["a"])
        }
    }

    @Test("An address that somebody has can't be taken by another")
    func keepsAddressesUnique() async throws {
        try await withSandbox { sandbox, client in
            _ = try await client.mint(#"{"reference":"a"}"#)
            _ = try await client.mint(#"{"reference":"b"}"#)
            let second = try #require(sandbox.subscriber(reference: "b"))
            let created = try await client.answer("POST", Route.subscribersPath, #"{"email":"a"}"#)
            let renamed = try await client.answer("PUT", Self.path(second.resourceID), #"{"email":"a"}"#)
            #expect(created.errors == ["email:value_not_unique"])
            #expect(renamed.errors == ["email:value_not_unique"])
            #expect(try await client.answer("PUT", Self.path(second.resourceID), #"{"email":"b"}"#).status == 200)
        }
    }

    @Test("Following links.next meets everybody once, in order, while others come and go")
    func pages() async throws {
        try await withSandbox { sandbox, client in
            for number in 1...7 { _ = try await client.mint(#"{"reference":"r\#(number)"}"#) }
            var path: String? = Route.subscribersPath + "?page_size=2"
            var seen: [String] = []
            var sizes: [Int] = []
            while let current = path {
                let page = try await client.answer("GET", current).json
                let data = page["data"]?.elements ?? []
                seen += data.compactMap { $0["subscriber"]?["email"]?.text }
                sizes.append(data.count)
                let first = try #require(sandbox.snapshot().first)
                if sizes.count == 1 { _ = try await client.answer("DELETE", Self.path(first.resourceID)) }
                path = page["links"]?["next"]?.text.map { String($0.dropFirst(sandbox.url.count)) }
            }
            #expect(seen == (1...7).map { "r\($0)" })
            #expect(sizes == [2, 2, 2, 1])
        }
    }

    @Test("A page holds 50 unless told otherwise, and its links are absolute")
    func hasDefaultPages() async throws {
        try await withSandbox { sandbox, client in
            for number in 1...51 { _ = try await client.mint(#"{"reference":"r\#(number)"}"#) }
            let first = try await client.answer("GET", Route.subscribersPath).json
            #expect(first["data"]?.elements.count == 50)
            #expect(first["links"]?.keys == ["first", "next", "self"])
            #expect(first["links"]?["next"]?.text?.hasPrefix(sandbox.url + Route.subscribersPath + "?") == true)
            let second = try await client.answer("GET", Route.subscribersPath + "?page_number=1").json
            #expect(second["data"]?.elements.count == 1)
            #expect(second["links"]?.keys == ["first", "prev", "self"])
            let beyond = try await client.answer("GET", Route.subscribersPath + "?page_number=9223372036854775807").json
            #expect(beyond["data"]?.elements.isEmpty == true)
        }
    }

    @Test(
        "Unusable paging is refused",
        arguments: [
            "page_size=0", "page_size=1001", "page_size=x", "page_number=-1", "page_token=x", "page_token=PA-1",
        ])
    func refusesWrongPages(query: String) async throws {
        try await withSandbox { _, client in
            let answer = try await client.answer("GET", Route.subscribersPath + "?" + query)
            #expect(answer.status == 422)
            #expect(answer.errors == [String(query.prefix { $0 != "=" }) + ":invalid_parameter"])
        }
    }
}
