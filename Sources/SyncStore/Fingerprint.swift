import Crypto
import Postgres
import SyncCore

/// What a row looked like when it was last read, as 16 bytes that tell nothing else.
///
/// The database computes and compares it, so a sweep moves no row that is unchanged. The first 4 bytes are of
/// the mapping: a fingerprint that another mapping made says nothing about the row. The 12 behind them are of a
/// SHA-256 over the key, the reference and the mapped columns as text; a user out of scope has none of them,
/// because nothing of such a user is kept. SHA-256, and not one of PostgreSQL's own hashes: those may change with
/// its version, and then everybody would seem to have changed.
extension SourceTable {
    /// The fingerprint of a row, as an SQL expression of type bytea; NULL where there is no row.
    ///
    /// - Parameters:
    ///   - alias: a row with the columns of `row(ofKey:)`.
    ///   - key: an SQL expression of type text.
    func fingerprint(of alias: String, key: String) -> String {
        let columns = rowColumnNames.filter { $0 != "in_scope" }.map { "\(alias).\($0)" }
        let row = "ROW(\(([key] + columns).joined(separator: ", ")))"
        return """
            CASE WHEN \(alias).in_scope
                THEN \(mappingMark) || substr(sha256(convert_to(\(row)::text, 'UTF8')), 1, 12)
                WHEN NOT \(alias).in_scope THEN \(mappingMark)
            END
            """
    }

    /// The first bytes of every fingerprint of this mapping, as an SQL literal.
    var mappingMark: String { "'\\x\(mappingMarkDigits)'::bytea" }

    /// The same as hexadecimal digits.
    var mappingMarkDigits: String { hex(mappingDigest) }

    /// Of everything that decides what is read of a user, but for the table's name: a renamed table has the same rows.
    private var mappingDigest: [UInt8] {
        var hash = SHA256()
        for part in mapping.parts {
            withUnsafeBytes(of: UInt64(part.utf8.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: Array(part.utf8))
        }
        return Array(hash.finalize().prefix(4))
    }
}

extension SourceMapping {
    /// What decides which values are read of a user, and what is made of them, in one order.
    fileprivate var parts: [String] {
        [key, reference, scope ?? "true", profile?.qualified.quoted ?? ""]
            + orderedFields.flatMap { [$0.rawValue, fields[$0] ?? ""] }
            // Only where there is something to say: a fingerprint of before the rules were there is still good.
            + [valueSignature].filter { !$0.isEmpty }
    }
}
