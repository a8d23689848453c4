import Testing

@Suite("What logs may be told")
struct SecrecyTests {
    @Test("no logger is handed a profile, a credential, a parameter or a body")
    func loggersStayBlind() {
        #expect(Repository.sources.flatMap(SecrecyRules.violations) == [])
    }

    @Test(
        "types that hold profiles and secrets say themselves how they print",
        arguments: SecrecyRules.redacted.map(\.type))
    func printsRedacted(type: String) throws {
        let path = try #require(SecrecyRules.redacted.first { $0.type == type }?.path)
        let file = try #require(Repository.sources.first { $0.path == path }, "\(path) is gone")
        let words = Set(file.text.words.map(\.text))
        #expect(
            words.isSuperset(of: [type, "CustomStringConvertible", "description", "CustomReflectable", "customMirror"]))
    }

    @Test(
        "a planted leak is found",
        arguments: [
            #"logger.info("pushed", metadata: ["p": "\(push.profile)"])"#, #"logger.debug("got \(body)")"#,
            "self.logger.log(\n    level: .info, \"x\",\n    metadata: [\"t\": \"\\(answer.token)\"])",
        ])
    func findsPlanted(source: String) {
        #expect(SecrecyRules.violations(in: SourceFile(path: "Sources/SyncAgent/Planted.swift", source)).count == 1)
    }

    @Test("the word in a message, and the same name outside of the call, are let alone")
    func leavesOthersAlone() {
        let source = #"logger.info("token refused", metadata: ["code": "\(problem.code)"]); let body = token"#
        #expect(SecrecyRules.violations(in: SourceFile(path: "Sources/SyncAgent/Planted.swift", source)) == [])
    }
}
