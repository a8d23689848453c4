import FoundationEssentials
import SyncCore

/// The one member of an accepted answer that is read. The tokens in it are skipped and never become values (I7).
struct AcceptedBody: Decodable {
    let subscriber_id: String

    /// `nil` where the body is no JSON object that says whose it is.
    static func subscriberID(in body: Data) -> SubscriberID? {
        switch body.withUnsafeBytes({ PlainObject.text(of: "subscriber_id", in: $0) }) {
        case .text(let id): SubscriberID(id)
        case .absent: nil
        case .undecided: decoded(body)
        }
    }

    static func decoded(_ body: Data) -> SubscriberID? {
        let decoded = try? JSONDecoder().decode(AcceptedBody.self, from: body)
        return decoded.flatMap { SubscriberID($0.subscriber_id) }
    }
}

/// Reads one member of a JSON object whose members are all plain texts: ASCII without escapes.
///
/// Answers of SignalWire are such objects, and one comes for every push: a general decoder takes many times as long,
/// because it looks at everything before it skips it. What is not so plain is left to that decoder.
enum PlainObject {
    /// What was found.
    enum Finding: Equatable {
        case text(String)
        /// It is such an object, without such a member.
        case absent
        /// It is another kind of object, or none.
        case undecided
    }

    static func text(of name: StaticString, in body: UnsafeRawBufferPointer) -> Finding {
        var reader = Reader(rest: body[...])
        guard reader.takes(UInt8(ascii: "{")) else { return .undecided }
        var found: Finding = .absent
        repeat {
            guard let member = reader.text(), reader.takes(UInt8(ascii: ":")), let value = reader.text() else {
                return .undecided
            }
            guard name.withUTF8Buffer({ member.elementsEqual($0) }) else { continue }
            // Which of two counts is the decoder's to say.
            guard found == .absent else { return .undecided }
            found = .text(String(decoding: value, as: UTF8.self))
        } while reader.takes(UInt8(ascii: ","))
        return reader.takes(UInt8(ascii: "}")) && reader.isAtEnd() ? found : .undecided
    }

    /// What has yet to be read, and the few tokens that there are.
    private struct Reader {
        var rest: Slice<UnsafeRawBufferPointer>

        mutating func takes(_ character: UInt8) -> Bool {
            skipSpace()
            guard rest.first == character else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// - Returns: `nil` where there is no text, or one that isn't plain.
        mutating func text() -> Slice<UnsafeRawBufferPointer>? {
            guard takes(UInt8(ascii: "\"")) else { return nil }
            let end = rest.firstIndex { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 < 0x20 || $0 > 0x7E }
            guard let end, rest[end] == UInt8(ascii: "\"") else { return nil }
            defer { rest = rest[(end + 1)...] }
            return rest[..<end]
        }

        mutating func isAtEnd() -> Bool {
            skipSpace()
            return rest.isEmpty
        }

        private mutating func skipSpace() {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        }
    }
}
