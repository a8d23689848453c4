/// What the sandbox has seen since it started or was last emptied.
///
/// ``overlaps`` and ``foldedDuplicates`` are the two figures that must stay 0 where the caller keeps
/// its promises: one call at a time per user, and never two subscribers for one user.
public struct SandboxStatistics: Sendable, Hashable, Codable {
    /// Requests to the API, refused ones and those without an answer included; control requests are not.
    public internal(set) var requests = 0
    /// Answers by status code.
    public internal(set) var byStatus: [String: Int] = [:]
    /// Requests whose connection was broken instead of answered.
    public internal(set) var unanswered = 0
    /// Faults that were let loose, by the name of their effect.
    public internal(set) var faults: [String: Int] = [:]
    /// Subscribers created.
    public internal(set) var created = 0
    /// Subscribers changed, or confirmed, by an upsert.
    public internal(set) var updated = 0
    /// Requests that were applied only after their connection had been reset.
    public internal(set) var appliedLate = 0
    /// Requests being worked on right now.
    public internal(set) var inFlight = 0
    /// The most that were worked on at the same time.
    public internal(set) var maxConcurrent = 0
    /// Calls that came for a reference while another call for it was being worked on.
    public internal(set) var overlaps = 0
    /// Subscribers created although there was one whose reference is equal when trimmed and case-folded.
    public internal(set) var foldedDuplicates = 0

    public init() {}

    enum CodingKeys: String, CodingKey {
        case requests, unanswered, faults, created, updated, overlaps
        case byStatus = "by_status"
        case appliedLate = "applied_late"
        case inFlight = "in_flight"
        case maxConcurrent = "max_concurrent"
        case foldedDuplicates = "folded_duplicates"
    }
}
