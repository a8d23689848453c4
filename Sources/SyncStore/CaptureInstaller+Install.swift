import Postgres

extension CaptureInstaller {
    /// Plans and applies until there is nothing to do. Where several do this at once, one is first, and the others
    /// find by an error of PostgreSQL's that what they planned is done already.
    ///
    /// - Parameter plan: looks at what there is, and says what has to be done.
    /// - Returns: what this call did.
    public func install(
        _ plan: () async throws(StoreError) -> Work
    ) async throws(StoreError) -> Work {
        var attempts = 0
        while true {
            let work = try await plan()
            do {
                try await apply(work)
                return work
            } catch {
                attempts += 1
                guard error.isOvertaken, attempts < CaptureInstaller.mostAttempts else { throw error }
            }
        }
    }

    /// Each failure means that another has got further, so the number of those at work bounds it.
    private static let mostAttempts = 40
}
