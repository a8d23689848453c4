/// What one request drew: how long it is held, and what then happens to it.
struct FaultDraw: Sendable, Hashable {
    var latencyMilliseconds = 0
    /// `nil`: the request is served.
    var effect: FaultEffect?
}

/// The faults in force, each with what is left of it.
struct FaultPlan: Sendable {
    private struct Armed {
        let fault: Fault
        var remaining: Int?
        var random: SplitMix

        /// Whether it strikes this request, which uses up one of its strikes.
        mutating func strikes(reference: String?, path: String) -> Bool {
            guard remaining != 0, fault.fits(reference: reference, path: path) else { return false }
            if let probability = fault.probability, random.nextShare() >= probability { return false }
            remaining = remaining.map { $0 - 1 }
            return true
        }
    }

    private var armed: [Armed]

    init(_ faults: [Fault]) {
        armed = faults.map { Armed(fault: $0, remaining: $0.count, random: SplitMix(state: $0.seed)) }
    }

    /// The faults as they were given, with the count that is left; spent ones are gone.
    var faults: [Fault] {
        armed.compactMap { armed in
            guard armed.remaining != 0 else { return nil }
            var fault = armed.fault
            fault.count = armed.remaining
            return fault
        }
    }

    /// Decides over one request. The names of the faults that struck go into the figures.
    mutating func draw(reference: String?, path: String, noting figures: inout [String: Int]) -> FaultDraw {
        var draw = FaultDraw()
        for index in armed.indices where armed[index].strikes(reference: reference, path: path) {
            let fault = armed[index].fault
            figures[fault.effect.name, default: 0] += 1
            draw.latencyMilliseconds += fault.latencyMilliseconds
            guard fault.effect == .latency else {
                draw.effect = fault.effect
                break
            }
        }
        return draw
    }
}

/// SplitMix64: a small generator whose series is fixed by its seed.
struct SplitMix: Sendable {
    var state: UInt64

    /// The next number of the series, at least 0 and below 1.
    mutating func nextShare() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
