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
        /// The mapping fits the table, and a statement fails on its rows all the same. → `fits`, once one has read
        /// rows; `misfit`
        case unreadable(isTold: Bool)
    }

    init(_ store: Store) { self.store = store }

    /// Inspects the table, unless the store is known to fit it.
    ///
    /// - Returns: whether it was inspected.
    /// - Throws: `mismatch` while the mapping doesn't fit the table.
    private func inspect() async throws(StoreError) -> Bool {
        switch fit {
        case .fits: return false
        case .doubted, .misfit:
            store = try await store.reopened()
            fit = .fits
            return true
        case .unreadable:
            store = try await store.reopened()
            return true
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
        case .unreadable(isTold: false):
            fit = .unreadable(isTold: true)
            return true
        case .misfit, .unreadable(isTold: true): return false
        }
    }

    /// Notes down that rows were read as a claim reads them.
    func findsFit() { fit = .fits }

    /// The last store that fitted, for statements that don't read the source.
    var any: Store { store }

    /// Runs work with the store, and once more with another one if the source turns out to be another.
    ///
    /// - Parameter reads: whether a result proves that rows of the source were read.
    /// - Throws: `mismatch` where the mapping doesn't fit the table, or fits it and can't be read from its rows.
    func run<Value: Sendable>(
        reads: @Sendable (Value) -> Bool = { _ in true },
        _ work: @Sendable (Store) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        if try await !inspect() {
            do {
                return try await work(store)
            } catch {
                guard error.mayBeSource else { throw error }
                fit = .doubted
            }
            _ = try await inspect()
        }
        do {
            let value = try await work(store)
            if reads(value) { fit = .fits }
            return value
        } catch {
            guard error.mayBeSource else { throw error }
            switch fit {
            case .fits, .doubted, .misfit: fit = .unreadable(isTold: false)
            case .unreadable: break
            }
            throw StoreError(failingOn: store.source, error)
        }
    }
}
