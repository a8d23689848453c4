/// A text that must not be seen: it prints redacted wherever it is printed by accident.
///
/// There is one way to the text, and its name can be searched for.
struct Secret: Sendable, Hashable {
    private let text: String

    init(_ text: String) { self.text = text }

    /// The text itself, for the one call that needs it.
    func reveal() -> String { text }

    /// What stands for a secret in every output.
    static let redacted = "(redacted)"
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { Secret.redacted }
    var debugDescription: String { Secret.redacted }
    /// `dump` and string interpolation of an enclosing type look through the mirror.
    var customMirror: Mirror { Mirror(self, children: []) }
}
