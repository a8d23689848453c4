/// Something that goes wrong on purpose, and for which requests.
///
/// Faults strike requests that are in order: whatever the API would refuse is refused first. They are
/// looked at in the order of the list; each one that fits adds its latency, and the first whose
/// effect is more than latency decides.
///
/// Written in one line, for flags and scripts, as `EFFECT,KEY=VALUE,…`:
///
///     hang,count=1
///     status=429,retry-after=2,count=3,reference=*bob*
///     status=422,code=value_not_unique,attribute=reference,reference=dup@
///     latency=200,probability=0.1,seed=7
///
/// The control endpoint takes the same keys as a JSON object.
public struct Fault: Sendable, Hashable {
    public var effect: FaultEffect
    /// How long the request is held before the effect. A client that gives up meanwhile takes its
    /// request with it: nothing is applied.
    public var latencyMilliseconds: Int
    /// Only requests whose reference fits: a part of it, or a pattern with `*`. `nil`: all.
    public var reference: String?
    /// Only requests whose path fits, written like ``reference``. `nil`: all.
    public var path: String?
    /// How many requests it strikes before it is spent. `nil`: without end.
    public var count: Int?
    /// The share of the fitting requests that it strikes, from 0 to 1. `nil`: all.
    public var probability: Double?
    /// Where the series of draws for ``probability`` starts; the same seed draws the same series.
    public var seed: UInt64

    public init(
        _ effect: FaultEffect, latencyMilliseconds: Int = 0, reference: String? = nil, path: String? = nil,
        count: Int? = nil, probability: Double? = nil, seed: UInt64 = 1
    ) {
        self.effect = effect
        self.latencyMilliseconds = latencyMilliseconds
        self.reference = reference
        self.path = path
        self.count = count
        self.probability = probability
        self.seed = seed
    }

    /// Whether the fault is meant for a request to this path about this reference.
    func fits(reference actual: String?, path actualPath: String) -> Bool {
        if let path, !Glob(pattern: path).matches(actualPath) { return false }
        guard let reference else { return true }
        return actual.map(Glob(pattern: reference).matches) ?? false
    }
}

/// Why a fault could not be read: a sentence and a hint, both fit for a terminal.
public struct FaultSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    public let hint: String

    public var description: String { "\(message) \(hint)" }
}
