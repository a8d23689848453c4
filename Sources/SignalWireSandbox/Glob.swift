/// Whether a text fits a pattern in which `*` stands for any run of characters, also an empty one.
///
/// A pattern without `*` fits wherever it occurs, because `reference=bob` is what people type.
struct Glob: Sendable, Hashable {
    let pattern: String

    func matches(_ text: String) -> Bool {
        guard pattern.contains("*") else { return text.contains(pattern) }
        let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = pieces.first, let last = pieces.last, text.hasPrefix(first) else { return false }
        var rest = text.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let found = rest.firstRange(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(last)
    }
}
