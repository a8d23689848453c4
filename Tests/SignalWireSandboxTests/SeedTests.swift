import Testing

@testable import SignalWireSandbox

@Suite("Subscribers that somebody else made")
struct SeedTests {
    @Test("are put there, changed and taken away without counting as calls")
    func seeds() async throws {
        try await withSandbox { sandbox, client in
            sandbox.seed([SandboxSeed("ada@x", ["first_name": "Ada", "job_title": "Dr"]), SandboxSeed("ADA@x")])
            sandbox.seed([SandboxSeed("ada@x", ["job_title": ""])])
            #expect(sandbox.subscriber(reference: "ada@x")?.profile == ["first_name": "Ada", "job_title": ""])
            #expect(sandbox.statistics().created == 0 && sandbox.statistics().requests == 0)
            let listed = try await client.answer("GET", Route.subscribersPath)
            #expect(listed.json["data"]?.elements.map { $0["subscriber"]?["email"]?.text } == ["ada@x", "ADA@x"])
            #expect(sandbox.remove(reference: "ada@x") && !sandbox.remove(reference: "ada@x"))
            #expect(sandbox.snapshot().map(\.reference) == ["ADA@x"])
        }
    }

    @Test("come from a script too, and a body that names nobody is refused")
    func seedsByRequest() async throws {
        try await withSandbox { sandbox, client in
            let body = #"[{"reference":"a","profile":{"time_zone":"UTC"}},{"reference":"b"}]"#
            let answer = try await client.answer("POST", "/__sandbox/state", body)
            #expect(answer.status == 204)
            #expect(sandbox.snapshot().map(\.reference) == ["a", "b"])
            #expect(sandbox.subscriber(reference: "a")?.profile == ["time_zone": "UTC"])
            for wrong in ["{}", "[{}]", "[7]", "no"] {
                let refusal = try await client.answer("POST", "/__sandbox/state", wrong)
                #expect(refusal.status == 400)
            }
        }
    }
}
