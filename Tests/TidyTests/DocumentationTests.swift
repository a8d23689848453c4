import Testing

@Suite("What is explained")
struct DocumentationTests {
    @Test("every type has its sentence")
    func typesAreDocumented() {
        #expect(Repository.sources.flatMap(DocumentationRules.violations) == [])
    }

    @Test(
        "a planted type without its sentence is found",
        arguments: [
            "struct A {}", "/// About B.\n\npublic enum A {}", "// Not documentation.\nfinal class A {}",
            "/// B.\nstruct B {\n    public enum A {}\n}",
        ])
    func findsPlanted(source: String) {
        #expect(DocumentationRules.violations(in: SourceFile(path: "Sources/A/B.swift", source)).count == 1)
    }

    @Test(
        "documented and nested private types are let alone",
        arguments: [
            "/// A.\n@frozen\npublic struct A {\n    private enum B {}\n}", "extension A { }", "let a = A.self",
        ])
    func leavesOthersAlone(source: String) {
        #expect(DocumentationRules.violations(in: SourceFile(path: "Sources/A/B.swift", source)) == [])
    }
}
