import Synchronization

/// Whether somebody asked to end: made once, seen from anywhere.
final class EndRequest: Sendable {
    private let value = Atomic(false)

    var isMade: Bool { value.load(ordering: .acquiring) }

    func make() { value.store(true, ordering: .releasing) }
}
