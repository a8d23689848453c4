import SyncCore
import Testing

@testable import Operations

@Suite("A message's body") struct WebhookBodyTests {
    static func keys(_ body: String, _ paths: String...) throws -> [String] {
        let paths = paths.isEmpty ? ["data.user_key"] : paths
        return try WebhookBody(paths: paths.compactMap(KeyPath.init)).keys(in: Array(body.utf8)).map(\.text)
    }

    @Test(
        "names one user or several, as texts or whole numbers, each once",
        arguments: [
            (#"{"data":{"user_key":"42"}}"#, ["42"]),
            (#"{"data":{"user_key":42}}"#, ["42"]),
            (#"{"data":[{"user_key":"b"},{"user_key":"a"},{"user_key":"b"}]}"#, ["b", "a"]),
            (#"[{"data":{"user_key":1}},{"data":{"user_key":"2"}}]"#, ["1", "2"]),
            (#"{"data":{"user_key":["x", 9223372036854775807, -5]}}"#, ["x", "9223372036854775807", "-5"]),
            (
                #"{"data":{"user_key":12345678901234567890123456789012345678}}"#,
                ["12345678901234567890123456789012345678"]
            ),
            (#"{"data":{"user_key":"☃ 'x"}, "more": [null, 1.5, true]}"#, ["☃ 'x"]),
            (#"{"data":[{"user_key":null},{"other":1},{"user_key":"a"}]}"#, ["a"]),
        ])
    func names(body: String, keys: [String]) throws {
        #expect(try Self.keys(body) == keys)
    }

    @Test("of a Supabase database webhook names the new row's user and the old one's")
    func supabase() throws {
        let paths = ["record.id", "old_record.id"]
        let update = """
            {"type":"UPDATE","table":"users","schema":"public","record":{"id":7,"email":"a@x"},
             "old_record":{"id":6,"email":"b@x"}}
            """
        #expect(try Self.keys(update, paths[0], paths[1]) == ["7", "6"])
        let insert = #"{"type":"INSERT","table":"users","schema":"public","record":{"id":7},"old_record":null}"#
        #expect(try Self.keys(insert, paths[0], paths[1]) == ["7"])
        let delete = #"{"type":"DELETE","table":"users","schema":"public","record":null,"old_record":{"id":6}}"#
        #expect(try Self.keys(delete, paths[0], paths[1]) == ["6"])
    }

    @Test("of a Hasura event trigger does, too")
    func hasura() throws {
        let event = """
            {"event":{"session_variables":{"x-hasura-role":"admin"},"op":"UPDATE",
             "data":{"old":{"id":"5b0e","name":"a"},"new":{"id":"5b0e","name":"b"}}},
             "created_at":"2026-01-01T00:00:00Z","id":"85558393","trigger":{"name":"users"},
             "table":{"schema":"public","name":"users"}}
            """
        #expect(try Self.keys(event, "event.data.new.id", "event.data.old.id") == ["5b0e"])
    }

    @Test(
        "that names nobody, or not in a way that can be a key, is refused",
        arguments: [
            ("", WebhookBody.Problem.notJSON), ("{", .notJSON), (#"{"data":}"#, .notJSON),
            (String(repeating: "[", count: 100_000), .notJSON),
            ("{}", .noKey), ("null", .noKey), ("7", .noKey), (#"{"data":{}}"#, .noKey), (#"{"data":[]}"#, .noKey),
            (#"{"data":{"user_key":null}}"#, .noKey), (#"{"data":"user_key"}"#, .noKey),
            (#"{"data":{"user_key":{}}}"#, .notAKey), (#"{"data":{"user_key":true}}"#, .notAKey),
            (#"{"data":{"user_key":1.5}}"#, .notAKey), (#"{"data":{"user_key":""}}"#, .notAKey),
            (#"{"data":{"user_key":"\#(String(repeating: "a", count: 1025))"}}"#, .notAKey),
            (#"{"data":{"user_key":"a\u0000b"}}"#, .notAKey),
            (#"{"data":{"user_key":[\#((0...1000).map(String.init).joined(separator: ","))]}}"#, .tooManyKeys),
        ])
    func refused(body: String, problem: WebhookBody.Problem) {
        #expect(throws: problem) { try Self.keys(body) }
    }

    @Test("is looked into along paths of names alone")
    func paths() {
        for text in ["", ".", "a.", ".a", "a..b", Array(repeating: "a", count: 17).joined(separator: ".")] {
            #expect(KeyPath(text) == nil, "\(text)")
        }
        #expect(KeyPath("event.data.new.id")?.description == "event.data.new.id")
    }
}
