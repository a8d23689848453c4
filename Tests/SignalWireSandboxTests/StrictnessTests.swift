import Foundation
import Testing

@testable import SignalWireSandbox

/// What `SubscriberTokenRequest` of SignalWire's OpenAPI document forbids, one case a row.
@Suite("The closed schema")
struct StrictnessTests {
    /// A body and the errors it must meet, as `attribute:code`.
    struct Case: CustomTestStringConvertible {
        let body: String
        let errors: [String]
        var testDescription: String { body }

        init(_ body: String, _ errors: String...) {
            self.body = body
            self.errors = errors
        }
    }

    static let texts = [
        "reference", "password", "first_name", "last_name", "display_name", "job_title", "time_zone", "country",
        "company_name", "application_id", "scope", "region", "fingerprint",
    ]

    static let required = [
        Case("{}", "reference:missing_required_parameter"),
        Case(#"{"first_name":"Ada"}"#, "reference:missing_required_parameter"),
        Case(#"{"reference":""}"#, "reference:missing_required_parameter"),
        Case(#"{"reference":" \t"}"#, "reference:missing_required_parameter"),
    ]
    static let unknown = ["email", "timezone", "phone", "metadata", "Reference", "subscriber_id", "ch", ""].map {
        Case(#"{"reference":"a","\#($0)":"x"}"#, "\($0):invalid_parameter")
    }
    static let nulls = (texts + ["expire_at"]).map {
        Case(
            $0 == "reference" ? #"{"reference":null}"# : #"{"reference":"a","\#($0)":null}"#, "\($0):invalid_parameter")
    }
    static let wrongTypes = texts.flatMap { name in
        ["1", "1.5", "true", "[]", #"["x"]"#, "{}"].map { value in
            Case(
                name == "reference" ? #"{"reference":\#(value)}"# : #"{"reference":"a","\#(name)":\#(value)}"#,
                "\(name):not_a_string")
        }
    }
    static let times = ["0", "-1", "1600000000", "1.5", "true", #""1900000000""#, #""tomorrow""#, "[]", "{}"].map {
        Case(#"{"reference":"a","expire_at":\#($0)}"#, "expire_at:invalid_parameter")
    }
    static let values = [
        Case(#"{"reference":"a","region":"eu"}"#, "region:unsupported_option"),
        Case(#"{"reference":"a","region":""}"#, "region:unsupported_option"),
        Case(#"{"reference":"a","scope":"all"}"#, "scope:unsupported_option"),
        Case(#"{"reference":"a","application_id":"seven"}"#, "application_id:invalid_parameter"),
        Case(#"{"reference":"a","application_id":""}"#, "application_id:invalid_parameter"),
        Case(#"{"reference":"a","fingerprint":"short"}"#, "fingerprint:invalid_parameter"),
        Case(
            #"{"reference":"a","fingerprint":"\#(String(repeating: "é", count: 43))"}"#, "fingerprint:invalid_parameter"
        ),
        Case("[]", "-:invalid_parameter"), Case("null", "-:invalid_parameter"), Case(#""text""#, "-:invalid_parameter"),
    ]
    static let several = [
        Case(
            #"{"reference":1,"country":null,"zz":1,"aa":2,"expire_at":1}"#, "reference:not_a_string",
            "expire_at:invalid_parameter", "country:invalid_parameter", "aa:invalid_parameter", "zz:invalid_parameter")
    ]

    @Test("Whatever the schema forbids is a 422 that names the parameter, and creates nobody")
    func refusesWhatIsForbidden() async throws {
        let cases =
            Self.required + Self.unknown + Self.nulls + Self.wrongTypes + Self.times + Self.values + Self.several
        try await withSandbox { sandbox, client in
            for wrong in cases {
                let answer = try await client.mint(wrong.body)
                #expect(answer.status == 422, "\(wrong.body)")
                #expect(answer.errors == wrong.errors, "\(wrong.body)")
            }
            #expect(sandbox.snapshot().isEmpty)
            #expect(sandbox.statistics().byStatus == ["422": cases.count])
        }
    }

    @Test("An error has exactly the members of RestApiErrorItem, with a null attribute where none is meant")
    func shapesErrors() async throws {
        try await withSandbox { _, client in
            let named = try await client.mint("{}").json["errors"]?.elements.first
            #expect(named?.keys == ["attribute", "code", "message", "type", "url"])
            #expect(named?["type"] == .string("validation_error"))
            #expect(try await client.mint("[]").json["errors"]?.elements.first?["attribute"] == .null)
        }
    }

    @Test("A resource's schema is closed too, and spells its zone in one word")
    func refusesWrongResources() async throws {
        let cases = [
            Case("{}", "email:missing_required_parameter"),
            Case(#"{"email":"a","password":"short"}"#, "password:invalid_parameter"),
            Case(#"{"email":"a","password":"\#(String(repeating: "x", count: 73))"}"#, "password:invalid_parameter"),
            Case(#"{"email":"a","time_zone":"UTC"}"#, "time_zone:invalid_parameter"),
            Case(#"{"email":"a","region":"us-central"}"#, "region:invalid_parameter"),
            Case(#"{"email":"a","country":null}"#, "country:invalid_parameter"),
        ]
        try await withSandbox { sandbox, client in
            for wrong in cases {
                let answer = try await client.answer("POST", Route.subscribersPath, wrong.body)
                #expect(answer.status == 422, "\(wrong.body)")
                #expect(answer.errors == wrong.errors, "\(wrong.body)")
            }
            #expect(sandbox.snapshot().isEmpty)
        }
    }
}
