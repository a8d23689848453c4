import Foundation

/// A Swift file of this package, taken apart once for all the rules that look at it.
struct SourceFile: Sendable {
    /// From the package's root: `Sources/SyncCore/Claim.swift`.
    let path: String
    let text: SwiftText

    init(path: String, _ source: String) {
        self.path = path
        text = SwiftText(source)
    }

    /// The target, which is the folder below `Sources` or `Tests`.
    var target: String {
        let parts = path.split(separator: "/")
        return parts.count > 1 ? String(parts[1]) : ""
    }

    /// How a rule names a place in this file.
    func place(_ line: Int) -> String { "\(path):\(line)" }
}

/// This package as it lies on the disk.
enum Repository {
    /// Where `Package.swift` is: two folders above this file.
    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every Swift file below `Sources`.
    static let sources: [SourceFile] = swiftFiles(below: "Sources")

    /// Every Swift file below `Tests`.
    static let tests: [SourceFile] = swiftFiles(below: "Tests")

    /// The names at the top level, without what git ignores and git itself.
    static func topLevel() throws -> Set<String> {
        let names = try FileManager.default.contentsOfDirectory(atPath: root.path)
        return Set(names.filter { !isIgnored($0) })
    }

    /// The paths of all files that belong to the repository, from its root.
    static func allPaths() throws -> [String] {
        try topLevel().flatMap { name -> [String] in
            let (isThere, isFolder) = look(at: name)
            guard isThere else { return [] }
            return isFolder ? paths(below: name) : [name]
        }.sorted()
    }

    static func text(of path: String) throws -> String {
        String(decoding: try Data(contentsOf: root.appendingPathComponent(path)), as: UTF8.self)
    }

    private static func swiftFiles(below folder: String) -> [SourceFile] {
        paths(below: folder).filter { $0.hasSuffix(".swift") }.sorted().compactMap { path in
            (try? text(of: path)).map { SourceFile(path: path, $0) }
        }
    }

    private static func paths(below folder: String) -> [String] {
        let inside = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
        let names = inside?.compactMap { $0 as? String } ?? []
        return names.map { "\(folder)/\($0)" }.filter { path in
            let isIgnored = path.split(separator: "/").contains { Repository.isIgnored(String($0)) }
            return !isIgnored && !look(at: path).isFolder
        }
    }

    private static func look(at path: String) -> (isThere: Bool, isFolder: Bool) {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(
            atPath: root.appendingPathComponent(path).path, isDirectory: &isFolder)
        return (isThere, isFolder.boolValue)
    }

    /// What `.gitignore` lists, git's own folder, and what Python leaves beside a script that ran.
    private static func isIgnored(_ name: String) -> Bool {
        name.hasPrefix(".build") || [".git", ".swiftpm", "Package.resolved", "__pycache__"].contains(name)
    }
}
