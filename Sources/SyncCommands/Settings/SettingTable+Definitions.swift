import SyncCore

extension SettingTable {
    /// All keys, in the order in which they are shown.
    static let all: [SettingDefinition] =
        [
            table.definition, key.definition, reference.definition, scope.definition, updatedAt.definition,
            profile.definition,
        ] + ProfileField.allCases.map { column(of: $0).definition }
        + ProfileField.allCases.map { constant(of: $0).definition } + [
            captureMode.definition, pollInterval.definition, sweepInterval.definition, sweepRate.definition,
            notify.definition, compare.definition, onReplica.definition, related.definition,
            databaseURL.definition, databaseListenURL.definition,
            space.definition, projectID.definition, apiToken.definition, applicationID.definition,
            tokenTTL.definition,
            concurrency.definition, rate.definition, timeout.definition, lease.definition,
            newSubscribers.definition, changedShare.definition, equalRejections.definition,
            onReferenceChange.definition,
            cleared.definition, invalidTimeZone.definition, country.definition, displayName.definition,
            operationsListen.definition, operationsToken.definition, webhookSecret.definition,
            webhookKeyPaths.definition, webhookRate.definition,
            logLevel.definition, logFormat.definition, logRetention.definition,
            logMaxRows.definition,
        ]

    /// The key at a path.
    static func definition(at path: String) -> SettingDefinition? { byPath[path] }

    /// Whether keys stand below a path, as below `source` and `source.fields`.
    static func isSection(_ path: String) -> Bool { sections.contains(path) }

    private static let byPath = Dictionary(all.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })

    private static let sections = Set(
        all.flatMap { definition in
            definition.path.indices.filter { definition.path[$0] == "." }.map { String(definition.path[..<$0]) }
        })
}

extension SettingTable {
    /// What is wrong with a key that isn't one, and the key that was probably meant.
    ///
    /// The key is quoted only where it looks like one of ours: what stands in the place of a key by mistake may be a
    /// connection string or a token, and those have capitals or digits.
    static func problem(ofUnknown path: String, at origin: SettingOrigin) -> SettingsProblem {
        if passwordPaths.contains(path) {
            return SettingsProblem(
                "The field password can't be sent (\(origin)).",
                hint: "Remove it: a users table holds hashes, and this program never sends one.")
        }
        let name = path.utf8.count <= 80 && path.utf8.allSatisfy(isKeyCharacter) ? " \(path)" : ""
        return SettingsProblem("There is no setting\(name) (\(origin)).", hint: hint(forUnknown: path))
    }

    private static func hint(forUnknown path: String) -> String {
        if let near = NearestKey.to(path, among: all.map(\.path) + sections) { return "Did you mean \(near)?" }
        let section = path.split(separator: ".").dropLast().joined(separator: ".")
        guard isSection(section) else {
            let top = sections.filter { !$0.contains(".") }.sorted()
            return "The sections are \(listed(top, "and"))."
        }
        let inside = all.filter { $0.path.hasPrefix(section + ".") }.map { $0.path.dropFirst(section.count + 1) }
        return "Known in \(section): \(inside.joined(separator: ", "))."
    }

    private static func isKeyCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        case _: false
        }
    }
}
