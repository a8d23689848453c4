import Testing

/// Waits for a condition that something else brings about, and records an issue if it does not come.
///
/// - Parameters:
///   - limit: how long to wait at most. Generous: a passing test never waits it out.
///   - what: the sentence that the issue prints.
/// - Returns: whether the condition came true.
@discardableResult
public func eventually(
    within limit: Duration = .seconds(10), _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while !(try await condition()) {
        guard ContinuousClock.now < deadline, !Task.isCancelled else {
            Issue.record("Not within \(limit): \(what)", sourceLocation: sourceLocation)
            return false
        }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return true
}
