import FoundationEssentials
import SyncCore
import Testing

@testable import SignalWire

@Suite("The subscriber of an accepted answer")
struct AcceptedBodyTests {
    private static let id = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"

    private static func finding(in body: String) -> PlainObject.Finding {
        Data(body.utf8).withUnsafeBytes { PlainObject.text(of: "subscriber_id", in: $0) }
    }

    @Test(
        "is read without the general decoder where all members are plain texts",
        arguments: [
            #"{"subscriber_id":"ID"}"#, #"{"subscriber_id":"ID","token":"eyJ.x-y_z","refresh_token":""}"#,
            " {\n\t\"token\" : \"a\" ,\r\"subscriber_id\":\"ID\"\n} ",
        ])
    func plain(body: String) {
        let body = body.replacing("ID", with: Self.id)
        #expect(Self.finding(in: body) == .text(Self.id))
    }

    @Test(
        "is left to the general decoder in every other object, and in what is none",
        arguments: [
            "", "{", "{}", "[]", "null", #"{"subscriber_id":"ID""#, #"{"subscriber_id":"ID"}x"#,
            #"{"subscriber_id":"ID",}"#,
            #"{"subscriber_id":"ID" "token":"a"}"#, #"{"subscriber_id":"ID","token":7}"#, #"{"subscriber_id":null}"#,
            #"{"subscriber_id":"ID","subscriber_id":"ID"}"#, #"{"subscriber\u005fid":"ID"}"#,
            #"{"subscriber_id":"ID","name":"é"}"#, #"{"subscriber_id":"ID","name":"\n"}"#,
            "{\"subscriber_id\":\"ID\n\"}",
            #"{"a":{"subscriber_id":"ID"}}"#, #"{subscriber_id:"ID"}"#, #"{"subscriber_id" "ID"}"#, "\u{FEFF}{}",
        ])
    func undecided(body: String) {
        #expect(Self.finding(in: body.replacing("ID", with: Self.id)) == .undecided)
    }

    @Test("is nobody's where the member is missing")
    func absent() {
        #expect(Self.finding(in: #"{"token":"a","id":"\#(Self.id)"}"#) == .absent)
    }

    @Test("is the general decoder's, whatever single byte of an answer is lost, doubled or another")
    func agrees() {
        let answer = Data(#"{"token":"a\"b", "subscriber_id":"\#(Self.id)","refresh_token":"é"}"#.utf8)
        let plain = Data(#"{"token":"ab", "subscriber_id":"\#(Self.id)","refresh_token":"c"}"#.utf8)
        var isFound = false
        for body in [answer, plain] {
            for index in body.indices {
                for byte in [UInt8?.none, body[index], 0x00, 0x20, 0x22, 0x2C, 0x3A, 0x5C, 0x7B, 0x7D, 0xC3] {
                    var changed = body
                    if byte == body[index] { changed.insert(body[index], at: index) }
                    changed.replaceSubrange(index...index, with: byte.map { [$0] } ?? [])
                    let found = AcceptedBody.subscriberID(in: changed)
                    isFound = isFound || found != nil
                    #expect(found == AcceptedBody.decoded(changed), "byte \(index), \(String(describing: byte))")
                }
            }
        }
        #expect(isFound)
    }
}
