import Postgres
import SyncCore

// MARK: - What is watched

extension CaptureInstaller {
    /// The users table, the related ones, and whatever inherits from them.
    func tables(
        of source: SourceTable, _ dependencies: [Dependency]
    ) async throws(PostgresError) -> [CaptureDefinition.Table] {
        let watched = watchedColumns(of: source, dependencies)
        var tables = try await family(of: source.name, nil, key: source.mapping.key, watched)
        for (name, entries) in source.mapping.relatedByTable {
            guard let entry = entries.first else { continue }
            let columns = Set(entries.flatMap(\.columns)).subtracting([entry.key]).sorted()
            tables += try await family(of: entry.table.qualified, name, key: entry.key, columns)
        }
        return tables
    }

    private func family(
        of table: QualifiedName, _ relatedName: String?, key: String, _ watched: [String]
    ) async throws(PostgresError) -> [CaptureDefinition.Table] {
        let types = try await session.query(CaptureCatalogue.columnTypes, [.text(table.quoted)])
        let family = try await session.query(CaptureCatalogue.family, [.text(table.quoted)])
        return family.map { relation in
            CaptureDefinition.Table(
                name: relation.name,
                part: relation.name != table ? .child : relatedName == nil ? .source : .related,
                relatedName: relatedName, isPartitioned: relation.isPartitioned,
                hasBeforeUpdateTrigger: relation.hasBeforeUpdateTrigger, key: key, watched: watched,
                types: Dictionary(types.map { ($0.name, $0) }) { $1 })
        }
    }

    /// The mapped columns, the reference, and whatever columns of the table the condition, expressions and the
    /// profile's view read.
    private func watchedColumns(of source: SourceTable, _ dependencies: [Dependency]) -> [String] {
        let others = dependencies.filter { $0.table == source.name }.map(\.column)
        let columns = source.mapping.columns + others.filter { !source.mapping.columns.contains($0) }
        return columns.filter { $0 != source.mapping.key }
    }

    typealias Dependency = CaptureCatalogue.Dependency

    /// What will work, and not as well as it could.
    func notes(on source: SourceTable, _ dependencies: [Dependency]) async throws(PostgresError) -> [String] {
        let related = source.mapping.related
        let known = [source.name] + related.map(\.table.qualified)
        let unwatched = Set(dependencies.map(\.table)).filter { !known.contains($0) && $0.schema != "pg_catalog" }
        var notes = unwatched.map(\.description).sorted().map {
            "\($0) is read for profiles and is not in capture.related: changes there are found by sweeps only."
        }
        for column in Set(related.map(\.users)).sorted()
        where try await session.query(CaptureCatalogue.isIndexed, [.text(source.name.quoted), .text(column)]).first
            != true
        {
            notes.append(
                "\(source.name) has no index on \(column): each change of a related table reads the whole table.")
        }
        return notes
    }

    /// What is read of a user, column by column: the database knows it, because a view of it depends on them.
    func dependencies(of source: SourceTable) async throws(PostgresError) -> [Dependency] {
        let mapping = source.mapping
        let hasExpression = mapping.fields.values.contains(where: SourceMapping.isExpression)
        guard mapping.scope != nil || mapping.profile != nil || hasExpression else { return [] }
        return try await session.transaction { connection throws(PostgresError) in
            try connection.executeScript(source.temporaryView(named: "subscriber_sync_view"), name: "temporary view")
            let columns = try connection.query(CaptureCatalogue.dependencies)
            try connection.executeScript("DROP VIEW pg_temp.subscriber_sync_view", name: "drop temporary view")
            return columns
        }
    }
}
