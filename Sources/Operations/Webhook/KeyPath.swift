/// Where a message names a user: the names that lead there from the outside, such as `event.data.new.id`.
///
/// Where a list stands on the way, it leads through each of its members.
public struct KeyPath: Sendable, Hashable, CustomStringConvertible {
    let names: [Substring]

    private static let mostNames = 16

    /// `nil` where a name is empty, or there are too many.
    public init?(_ text: String) {
        let names = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...KeyPath.mostNames).contains(names.count), names.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.names = names
    }

    public var description: String { names.joined(separator: ".") }
}
