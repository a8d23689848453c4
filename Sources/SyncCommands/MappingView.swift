import SyncStore

/// What `status` says of a changed mapping.
extension MappingChange {
    /// What the operator should do; `nil`: nothing.
    var question: String? {
        if let stray = strays.first {
            return
                "agents send by different mappings: \(stray)\(strays.count > 1 ? " and others" : "") by another than the one "
                + "that was started last; restart them with the same settings"
        }
        guard !differences.isEmpty else { return nil }
        return
            "the mapping changed, and is used for users as they change; `resync --all --dry-run` says what it means for all, "
            + "`resync --all` pushes it, `reject` leaves them as they are"
    }

    var rows: [(String, String)] {
        var rows: [(String, String)] = []
        if let since { rows.append(("mapping changed", since)) }
        rows += differences.map { ("", $0.sentence) }
        if !strays.isEmpty { rows.append(("other mapping", "sent by \(strays.joined(separator: ", "))")) }
        return rows
    }

    var json: JSON {
        .object([
            ("since", .optional(since)), ("differences", .array(differences.map(\.json))),
            ("stray_agents", .array(strays.map(JSON.string))),
        ])
    }
}

extension MappingChange.Difference {
    fileprivate var json: JSON {
        .object([
            ("setting", .string(setting)), ("change", .string(kind.rawValue)), ("before", .optional(before)),
            ("after", .optional(after)),
        ])
    }
}

extension MappingAnswer {
    /// What became of the question, in a line; `nil`: there was none.
    ///
    /// - Parameter accepted: what to say where everybody counts as told now.
    func line(accepted: String) -> String? {
        switch self {
        case .needless: nil
        case .accepted: accepted
        case .mixed:
            "agents send by different mappings, so the change of the mapping stays open; restart them, and say it again"
        }
    }
}

extension CommandContext {
    /// What the settings say about what is sent.
    func outline() throws(Failure) -> MappingOutline { MappingOutline(of: try mapping(), rules: rules) }

    /// Says so where the agents send by another mapping than these settings, which a preview goes by.
    func warnOfOtherMapping(_ store: Store) async throws {
        let outline = try outline()
        let isUsed = try await checked { () async throws(StoreError) in try await store.isUsed(outline) }
        guard !isUsed else { return }
        Terminal.err(
            "subscriber-sync: the agents send by another mapping than these settings say\n"
                + "hint: `status` shows it; restart the agents with these settings first.\n")
    }
}
