import SyncCore
import SyncStore

/// Keeps the store whose statements fit the source table as it is now.
///
/// The application's migrations go on while agents run: a column is renamed, a key gets another type, a table is
/// swapped. Statements made for the old table fail then; so after a failure that looks like it, the table is
/// inspected again, and either there is a store that fits, or the mapping doesn't fit any more.
actor StoreKeeper {
    private var store: Store
    private var fit = Fit.fits

    private enum Fit {
        /// → `doubted`
        case fits
        /// A statement failed as it would on another table; inspected before the next. → `fits`, `misfit`
        case doubted
        /// The mapping doesn't fit the table; inspected again before the next statement. → `fits`
        case misfit
    }

    init(_ store: Store) { self.store = store }

    /// A store whose statements fit.
    ///
    /// - Throws: `mismatch` while the mapping doesn't fit the table.
    func current() async throws(StoreError) -> Store {
        switch fit {
        case .fits: return store
        case .doubted, .misfit:
            store = try await store.reopened()
            fit = .fits
            return store
        }
    }

    /// Notes down that the mapping doesn't fit.
    ///
    /// - Returns: whether that is news. An agent says it once and not again before it has fitted: another one with
    ///   another mapping, which fits, would be paused again and again.
    func findsMisfit() -> Bool {
        switch fit {
        case .fits, .doubted:
            fit = .misfit
            return true
        case .misfit: return false
        }
    }

    /// The last store that fitted, for statements that don't read the source.
    var any: Store { store }

    /// Runs work with the store, and once more with another one if the source turns out to be another.
    func run<Value: Sendable>(
        _ work: @Sendable (Store) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await work(try await current())
        } catch {
            guard error.mayBeSource else { throw error }
            fit = .doubted
        }
        return try await work(try await current())
    }
}
