import SyncCore

/// Digests for the model: FNV-1a, which is short, and the same in every process.
///
/// The real ones are keyed; here nobody is to be kept from reading a value.
public func modelDigests(of profile: Profile, mapped: [ProfileField]) -> ProfileDigests {
    var empty: [ProfileField: UInt64] = [:]
    for field in mapped { empty[field] = digest(of: field, "") }
    return ProfileDigests(
        values: Dictionary(uniqueKeysWithValues: profile.values.map { ($0, digest(of: $0, $1)) }), empty: empty)
}

private func digest(of field: ProfileField, _ value: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in field.rawValue.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    for byte in value.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
}
