import Testing

@testable import SignalWireSandbox

/// What is checked before a body is looked at.
@Suite("The gate")
struct GateTests {
    private static let good = #"{"reference":"a"}"#

    @Test(
        "Paths that the sandbox doesn't have are not found",
        arguments: [
            "/", "/api", "/api/fabric/subscribers/tokens/", "/api/fabric/subscribers/tokens/x",
            "/api/fabric/guests/tokens", "/api/fabric/embeds/tokens", "/api/fabric/subscriber/invites",
            "/api/fabric/resources/subscribers/", "/api/fabric/resources/subscribers/x/addresses", "/__sandbox/x",
        ])
    func missesUnknownPaths(path: String) async throws {
        try await withSandbox { _, client in
            let answer = try await client.answer("POST", path, Self.good)
            #expect(answer.status == 404)
            #expect(answer.body == #"{"error":"Not Found"}"#)
        }
    }

    @Test(
        "A method that a path doesn't have is refused, and the right ones are named",
        arguments: [
            ("GET", Route.tokensPath, "POST"), ("PUT", Route.tokensPath, "POST"),
            ("DELETE", Route.tokensPath + "/refresh", "POST"), ("PUT", Route.subscribersPath, "GET, POST"),
            ("PATCH", Route.subscribersPath + "/x", "GET, PUT, DELETE"), ("POST", "/__sandbox/stats", "GET"),
        ])
    func refusesMethods(method: String, path: String, allowed: String) async throws {
        try await withSandbox { _, client in
            let answer = try await client.answer(method, path, Self.good)
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == allowed)
        }
    }

    @Test(
        "Requests without usable Basic credentials are unauthorized",
        arguments: [
            nil, "", "Basic", "Basic ", "Basic !!!", "Bearer abc", SandboxClient.basic("", "token"),
            SandboxClient.basic("project", ""), "Basic " + "cHJvamVjdA==",
        ])
    func refusesStrangers(authorization: String?) async throws {
        try await withSandbox { sandbox, client in
            var stranger = client
            stranger.authorization = authorization
            for (method, path) in [("POST", Route.tokensPath), ("GET", Route.subscribersPath)] {
                let answer = try await stranger.answer(method, path, method == "POST" ? Self.good : nil)
                #expect(answer.status == 401)
                #expect(answer.body == #"{"error":"Unauthorized"}"#)
            }
            #expect(sandbox.snapshot().isEmpty)
        }
    }

    @Test("A sandbox with a pair of its own takes only that pair")
    func takesOnlyItsPair() async throws {
        let options = SandboxOptions(credentials: .pair(projectID: "p", apiToken: "t:t"))
        try await withSandbox(options) { _, client async throws in
            let attempts = [("p", "t:t", 200), ("p", "t", 401), ("q", "t:t", 401), ("P", "t:t", 401)]
            for (project, token, status) in attempts {
                var someone = client
                someone.authorization = SandboxClient.basic(project, token)
                #expect(try await someone.mint(Self.good).status == status, "\(project) \(token)")
            }
        }
    }

    @Test(
        "Only JSON is taken",
        arguments: [
            (nil, 415), ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("application/jsonp", 415),
            ("application/json", 200), ("Application/JSON; charset=utf-8", 200),
        ])
    func wantsJSON(contentType: String?, status: Int) async throws {
        try await withSandbox { _, client async throws in
            var writer = client
            writer.contentType = contentType
            #expect(try await writer.mint(Self.good).status == status)
        }
    }

    @Test("What isn't JSON is a bad request", arguments: ["", "{", #"{"reference":}"#, "reference=a", "\u{1}"])
    func refusesBrokenJSON(body: String) async throws {
        try await withSandbox { _, client in
            let answer = try await client.mint(body)
            #expect(answer.status == 400)
            #expect(answer.body == #"{"error":"Bad Request"}"#)
        }
    }

    @Test("A body of 64 KiB is taken, and one byte more is too large")
    func limitsBodies() async throws {
        try await withSandbox { sandbox, client async throws in
            let padding = Intake.maxBodyBytes - Self.good.utf8.count
            #expect(try await client.mint(Self.good + String(repeating: " ", count: padding)).status == 200)
            #expect(try await client.mint(Self.good + String(repeating: " ", count: padding + 1)).status == 413)
            #expect(try await client.mint(String(repeating: " ", count: 3_000_000)).status == 413)
            #expect(sandbox.snapshot().map(\.upserts) == [1])
        }
    }

    @Test("Deeply nested JSON is refused without harm")
    func survivesNesting() async throws {
        try await withSandbox { _, client async throws in
            let depth = 20_000
            let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            #expect((400..<500).contains(try await client.mint(#"{"reference":"a","x":\#(nested)}"#).status))
            #expect(try await client.mint(Self.good).status == 200)
        }
    }
}
