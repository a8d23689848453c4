import Crypto
import SyncCore

extension ProfileDigests {
    /// Hashes each field of one user: SHA-256, keyed by user and field, cut to 64 bits.
    ///
    /// Enough to see that a value changed (a collision is one in 2^64 changes), and two users with the
    /// same name don't show the same hash.
    init(of profile: Profile, user: UserKey, fields: some Sequence<ProfileField>) {
        var values: [ProfileField: UInt64] = [:]
        var empty: [ProfileField: UInt64] = [:]
        for field in fields {
            empty[field] = ProfileDigests.digest("", user: user, field: field)
            if let value = profile.values[field] {
                values[field] = ProfileDigests.digest(value, user: user, field: field)
            }
        }
        self.init(values: values, empty: empty)
    }

    private static func digest(_ value: String, user: UserKey, field: ProfileField) -> UInt64 {
        var hash = SHA256()
        for part in [user.text, field.rawValue, value] {
            // The length in front keeps "ab","c" and "a","bc" apart.
            withUnsafeBytes(of: UInt64(part.utf8.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: Array(part.utf8))
        }
        return hash.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// How `told` stands in its column: `{"job_title": "9f86d081884c7d65", "time_zone": null}`.
enum ToldColumn {
    static func text(of told: Told) -> String {
        let members = told.sorted { $0.key < $1.key }.map { field, digest in
            switch digest {
            case .unknown: "\"\(field.rawValue)\":null"
            case .known(let hash): "\"\(field.rawValue)\":\"\(String(hash, radix: 16))\""
            }
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    /// Reads the two arrays into which a query takes the column apart: names, and hashes or null.
    static func told(names: [String?], hashes: [String?]) -> Told {
        var told: Told = [:]
        for (name, hash) in zip(names, hashes) {
            guard let field = name.flatMap(ProfileField.init(rawValue:)) else { continue }
            told[field] = hash.flatMap { UInt64($0, radix: 16) }.map(FieldDigest.known) ?? .unknown
        }
        return told
    }

    /// What is known after a claim ended without a word: any mapped field may have been sent.
    static func unknown(_ fields: some Sequence<ProfileField>) -> String {
        text(of: Dictionary(fields.map { ($0, FieldDigest.unknown) }) { first, _ in first })
    }
}
