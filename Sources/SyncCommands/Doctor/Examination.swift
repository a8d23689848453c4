import Postgres
import SyncCore
import SyncStore

/// One look at an installation, which may prove several things.
struct Examination: Sendable {
    /// What its only check is called, or the one that says why it could not be made.
    let name: String
    /// Other checks of that which it finds.
    var others: [String] = []
    /// Checks without which there is nothing to look at.
    let needs: [String]
    let look: @Sendable () async throws -> [Check]

    init(
        _ name: String, and others: [String] = [], needs: [String] = [],
        _ look: @escaping @Sendable () async throws -> [Check]
    ) {
        self.name = name
        self.others = others
        self.needs = needs
        self.look = look
    }

    /// For one that proves one thing.
    init(one name: String, needs: [String] = [], _ look: @escaping @Sendable () async throws -> Check) {
        self.init(name, needs: needs) { [try await look()] }
    }
}

/// Makes examinations one after the other, each within its time; what builds on a failure is skipped.
struct Examining: Sendable {
    /// A statement of ours may take 30 s; nobody waits that long for a diagnosis.
    var patience = Duration.seconds(10)

    func checks(of examinations: [Examination]) async -> [Check] {
        var checks: [Check] = []
        for examination in examinations {
            let missing = examination.needs.first { need in
                !checks.contains { $0.name == need && $0.carries }
            }
            if let missing {
                checks += ([examination.name] + examination.others).map {
                    .skipped($0, "Not looked at, because of \(missing).")
                }
            } else {
                checks += await made(examination)
            }
        }
        return checks
    }

    private func made(_ examination: Examination) async -> [Check] {
        let patience = patience
        return await withTaskGroup(of: [Check]?.self) { group in
            group.addTask {
                do {
                    return try await examination.look()
                } catch {
                    return Task.isCancelled ? nil : [Check(failing: examination.name, with: error)]
                }
            }
            group.addTask {
                try? await Task.sleep(for: patience)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? [
                .fail(
                    examination.name,
                    "It was not answered within \(spoken(seconds: Double(patience.components.seconds))).",
                    hint: "Look whether the server hangs, or is busy, or waits for a lock.")
            ]
        }
    }
}

extension Check {
    /// A look that ended in an error.
    init(failing name: String, with error: any Error) {
        switch error {
        case let error as Failure: self = .fail(name, error.message, hint: error.hint)
        case let error as StoreError: self = .fail(name, error.message, hint: error.hint)
        case let error as PostgresError: self = .fail(name, error.message, hint: error.hint)
        case _: self = .fail(name, "It could not be looked at.", hint: "Try again; the log of the server may say more.")
        }
    }
}
