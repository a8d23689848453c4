import Foundation
import Testing

@testable import SignalWireSandbox

@Suite("Faults as flags and as JSON")
struct FaultSyntaxTests {
    static let written: [(String, Fault)] = [
        ("hang", Fault(.hang())),
        ("effect=hang,limit=500,count=1", Fault(.hang(limitMilliseconds: 500), count: 1)),
        (
            "status=429,retry-after=2,count=3,reference=*bob*",
            Fault(.status(429, .seconds(2)), reference: "*bob*", count: 3)
        ),
        ("status=503,retry-after=date:9", Fault(.status(503, .date(inSeconds: 9)))),
        (
            "status=422,code=value_not_unique,attribute=reference,message=It is taken",
            Fault(.status(422, code: "value_not_unique", message: "It is taken", attribute: "reference"))
        ),
        ("latency=200,probability=0.1,seed=7", Fault(.latency, latencyMilliseconds: 200, probability: 0.1, seed: 7)),
        ("reset-before", Fault(.resetBeforeApplying)), ("reset-after", Fault(.resetAfterApplying)),
        ("late-apply,delay=5,latency=3", Fault(.lateApply(afterMilliseconds: 5), latencyMilliseconds: 3)),
        ("html", Fault(.html())), ("html,status=504", Fault(.html(status: 504))),
        ("redirect,location=http://a/?b=c", Fault(.redirect(to: "http://a/?b=c"))),
        ("cut-body,path=*tokens", Fault(.cutBody, path: "*tokens")), ("malformed-body", Fault(.malformedBody)),
        ("oversized-body,bytes=9", Fault(.oversizedBody(bytes: 9))), ("missing-id", Fault(.missingSubscriberID)),
    ]

    @Test("Every effect can be written as a flag, and survives JSON", arguments: written.indices)
    func reads(index: Int) throws {
        let (line, fault) = Self.written[index]
        #expect(try Fault(parsing: line) == fault)
        let json = try JSONEncoder().encode(fault)
        #expect(try JSONDecoder().decode(Fault.self, from: json) == fault)
    }

    @Test("The list of written faults has every effect")
    func coversEveryEffect() {
        #expect(Set(Self.written.map(\.1.effect.kind)) == Set(FaultEffect.Kind.allCases))
    }

    @Test("JSON may hold numbers and nulls")
    func readsNumbers() throws {
        let json = #"{"effect":"status","status":429,"retry-after":2,"probability":0.5,"count":null}"#
        let fault = try JSONDecoder().decode(Fault.self, from: Data(json.utf8))
        #expect(fault == Fault(.status(429, .seconds(2)), probability: 0.5))
    }

    @Test(
        "What can't be read is refused with a sentence that names the part, and a hint",
        arguments: [
            ("", "empty part"), ("hang,", "empty part"), ("count=", "empty part"), ("count=1", "names no effect"),
            ("explode", "explode"), ("status=200", "status"), ("effect=status", "names no status"),
            ("hang,count=0", "count"), ("hang,count=x", "count"), ("hang,count=1,count=2", "count twice"),
            ("hang,probability=2", "probability"), ("status=429,retry-after=soon", "retry-after"),
            ("hang,colour=red", "no key colour"), ("hang,code=x", "no key code"), ("latency=-1", "latency"),
            ("reset-before,delay=1", "no key delay"),
        ])
    func refuses(line: String, part: String) {
        let error = #expect(throws: FaultSyntaxError.self) { try Fault(parsing: line) }
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        #expect(error?.message.hasSuffix(".") == true)
        #expect(error?.hint.isEmpty == false)
    }

    @Test(
        "A pattern fits by its parts",
        arguments: [
            ("bob", "x bob y", true), ("bob", "rob", false), ("*", "", true), ("", "anything", true),
            ("*bob*", "bob", true), ("bob*", "bobby", true), ("bob*", "a bob", false), ("*bob", "a bob", true),
            ("*bob", "bobby", false), ("a*b*c", "aXbYc", true), ("a*b*c", "acb", false), ("a*a", "a", false),
            ("**", "x", true), ("a*bc*c", "abc", false), ("a*bc*c", "abcc", true),
        ])
    func fits(pattern: String, text: String, isSo: Bool) {
        #expect(Glob(pattern: pattern).matches(text) == isSo)
    }
}
