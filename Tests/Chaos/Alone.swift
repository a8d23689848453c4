import Foundation

/// Whether each user was called by one at a time (I3), as far as that can be asked of anybody.
///
/// **What counts as two at once.** Two calls for one reference whose time overlaps, where a call lasts from the moment
/// its request is whole on the wire until its agent begins to get the answer, has given it up, or is gone. So it is
/// what the *agents* know that is judged: a request that its agent gave up, and that the API still has in its hands,
/// overlaps nothing. No client can call such a request back; what it may overwrite is the comparison's to find.
///
/// **What is excused.** A process that is stopped can't give up a call when its lease ends, so another that then
/// takes over, lawfully, overlaps with it; one that is stopped between its claim and its call sends late. Both
/// need that (1) the process of one of the two calls was stopped while that call was open, or within the second
/// before it, up to the moment at which the second call began, and that (2) the database found the lease of that
/// process gone when it wrote that call's outcome down (`lease_lost` in the log table), which also makes the user
/// due again; or that the process never came to write it, because it was killed. Every other overlap is a violation.
struct Alone {
    let journal: CallJournal
    /// What each process wrote down about each reference, oldest first.
    private let outcomes: [Settler: [Outcome]]
    private let killed: Set<Int32>

    /// A row of the log table about a call.
    private struct Outcome {
        let at: Date
        /// How long the call took.
        let seconds: Double
        let isLost: Bool
    }

    private struct Settler: Hashable {
        let process: Int32
        let reference: String
    }

    static func make(_ world: World) async throws -> Alone {
        let rows = try await world.application.rows(
            """
            SELECT agent, reference, extract(epoch FROM at)::text, (duration_ms / 1000.0)::text,
                (outcome = 'lease_lost')::text
            FROM subscriber_sync.log WHERE agent IS NOT NULL AND reference IS NOT NULL AND duration_ms IS NOT NULL
            ORDER BY id
            """, columns: 5)
        var outcomes: [Settler: [Outcome]] = [:]
        for row in rows {
            // An agent's name is its host, its process and a random part.
            guard let process = row[0]?.split(separator: "-").dropLast().last.flatMap({ Int32($0) }) else { continue }
            let at = Date(timeIntervalSince1970: row[2].flatMap(Double.init) ?? 0)
            let outcome = Outcome(at: at, seconds: row[3].flatMap(Double.init) ?? 0, isLost: row[4] == "true")
            outcomes[Settler(process: process, reference: row[1] ?? ""), default: []].append(outcome)
        }
        return Alone(journal: world.journal, outcomes: outcomes, killed: await world.fleet.endedByUs)
    }

    /// The overlaps that nothing excuses, as a sentence each, and whose they are; and how many were excused.
    func judge() -> (violations: [String], references: [String], excused: Int) {
        let overlaps = journal.overlaps
        let suspensions = Dictionary(grouping: journal.suspensions, by: \.process)
        let bad = overlaps.filter { overlap in
            ![overlap.older, overlap.newer].contains { isExcused($0, at: overlap.at, suspensions) }
        }
        let sentences = bad.map { overlap in
            let age = String(format: "%.3f", overlap.at.timeIntervalSince(overlap.older.began))
            return "two calls at once for \(overlap.newer.reference): agent \(overlap.older.agent)'s was \(age) s old "
                + "when agent \(overlap.newer.agent)'s began"
        }
        return (sentences, Array(Set(bad.map(\.newer.reference))).sorted(), overlaps.count - bad.count)
    }

    private func isExcused(
        _ call: CallJournal.Call, at moment: Date, _ suspensions: [Int32: [CallJournal.Suspension]]
    ) -> Bool {
        let from = call.began.addingTimeInterval(-1)
        let wasStopped = (suspensions[call.process] ?? []).contains { suspension in
            suspension.from <= moment && suspension.to ?? .distantFuture >= from
        }
        let settler = Settler(process: call.process, reference: call.reference)
        // It lasted until then at least; shorter ones are of others, as of a user who has the reference now.
        let age = moment.timeIntervalSince(call.began) - 0.1
        let outcome = outcomes[settler]?.first { $0.at >= call.began && $0.seconds >= age }
        return wasStopped && (outcome?.isLost ?? killed.contains(call.process))
    }
}
