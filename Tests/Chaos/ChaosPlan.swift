import SyncCore
import TestSupport

/// Everything that will be done, drawn from one seed before anything begins.
///
/// What real processes make of it differs from run to run; what is done to them, and when, does not.
struct ChaosPlan: Sendable {
    struct Timed<What: Sendable>: Sendable {
        /// Since the beginning; later if what comes before it in its lane takes longer.
        let at: Duration
        let what: What
    }

    let seed: UInt64
    let agents: Int
    let trouble: Duration
    let users: Int
    let population: Write
    let writes: [Timed<Write>]
    let strikes: [Strike.Lane: [Timed<Strike>]]
    let identities: Identities
    /// The calls that one agent has in flight at most, and how long its claims are its own.
    let concurrency: Int
    static let lease = Duration.seconds(10)
    static let timeout = Duration.seconds(2)

    init(seed: UInt64, trouble: Duration, agents: Int) {
        var random = SeededRandom(seed: seed)
        self.seed = seed
        self.agents = agents
        self.trouble = trouble
        users = pick([8, 20, 60, 150], &random)
        concurrency = pick([4, 16, 32], &random)
        var plan = WritePlan(seed: random.next(), isCalm: Bool.random(using: &random))
        population = plan.populate(users)
        let isWritingToTheEnd = Bool.random(using: &random)
        let lastWrite = isWritingToTheEnd ? trouble : trouble * 6 / 10
        let perSecond = pick([8, 25, 60], &random)
        writes = (0..<Int(lastWrite.seconds * Double(perSecond))).map { number in
            Timed(at: .milliseconds(1000 * number / perSecond), what: plan.next())
        }
        var strikes = StrikePlan(random: SeededRandom(seed: random.next()), agents: agents, trouble: trouble)
        self.strikes = strikes.draw(&plan)
        identities = plan.identities
    }
}

/// Draws what goes wrong, lane by lane.
struct StrikePlan {
    var random: SeededRandom
    let agents: Int
    let trouble: Duration
    typealias Timed = ChaosPlan.Timed<Strike>

    mutating func draw(_ writes: inout WritePlan) -> [Strike.Lane: [Timed]] {
        var lanes: [Strike.Lane: [Timed]] = [:]
        for lane in Strike.Lane.allCases {
            // Now and then a neighbour is well, so that the others are seen alone.
            let pause = pick([2, 4, 8, 8, 1000], &random)
            lanes[lane] = series(lane, pause: pause, &writes)
        }
        return lanes
    }

    /// Strikes at random distances, of so many seconds on average.
    private mutating func series(_ lane: Strike.Lane, pause: Int, _ writes: inout WritePlan) -> [Timed] {
        var series: [Timed] = []
        var at = Duration.milliseconds(Int.random(in: 500...3000, using: &random))
        var specials = lane == .processes ? special(&writes) : []
        while at < trouble {
            let rest = trouble - at
            if let special = specials.popLast(), length(of: special) < rest {
                series.append(Timed(at: at, what: special))
                at += length(of: special)
            } else {
                let strike = draw(lane)
                if length(of: strike) < rest { series.append(Timed(at: at, what: strike)) }
                at += length(of: strike)
            }
            if pause == 1000, specials.isEmpty { break }
            at += .milliseconds(Int.random(in: 300...(2000 * min(pause, 10)), using: &random))
        }
        return series
    }

    /// What random strikes would hardly ever bring about by themselves.
    private mutating func special(_ writes: inout WritePlan) -> [Strike] {
        var strikes: [Strike] = []
        if Bool.random(using: &random), trouble > .seconds(20) {
            let lease = ChaosPlan.lease
            // After two leases not even the doubt of whoever took over is left.
            let isLong = Bool.random(using: &random) && trouble > .seconds(35)
            let span = isLong ? lease * 2 + .seconds(4) : lease + .seconds(2)
            strikes.append(
                .freeze(
                    agent: agent(), span, pick([.up, .up, .down], &random), writes.bulk("bulk"),
                    thaw()))
        }
        if Bool.random(using: &random) {
            let (insert, move) = writes.orphans(8)
            strikes.append(.orphan(insert: insert, move: move))
        }
        return strikes.shuffled(using: &random)
    }

    private mutating func draw(_ lane: Strike.Lane) -> Strike {
        switch lane {
        case .processes: process()
        case .database: database()
        case .network: network()
        case .api: .weather(Weather.draw(&random), span(1...8))
        }
    }

    private mutating func process() -> Strike {
        switch Int.random(in: 0..<10, using: &random) {
        case 0...3: .kill(agents: [agent()], downFor: span(0...3))
        case 4: .kill(agents: Array(0..<agents), downFor: span(0...2))
        case 5, 6: .suspend(agent: agent(), ChaosPlan.lease + .seconds(2) + span(0...3))
        case 7, 8: .suspend(agent: agent(), span(0...4))
        default: .terminate(agent: agent())
        }
    }

    private mutating func database() -> Strike {
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1: .restart(.fast)
        case 2, 3: .restart(.immediate)
        case 4, 5: .endBackends(times: 1, every: .zero)
        case 6: .endBackends(times: 10, every: span(0...1))
        default: .exhaust(span(1...5))
        }
    }

    private mutating func network() -> Strike {
        let goal = pick([Relay.Way.Goal.api, .api, .database], &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0...5: return .hold(agent: agent(), goal, pick(Strike.Direction.allCases, &random), span(0...6))
        case 6, 7: return .reset(agent: agent(), goal)
        case 8: return .refuse(agent: agent(), goal, span(0...4))
        default: return .lose(agent: agent(), goal)
        }
    }

    private mutating func thaw() -> Strike.Thaw {
        Strike.Thaw(changesAgain: .random(using: &random), changesKeys: .random(using: &random))
    }

    private mutating func agent() -> Int { Int.random(in: 0..<agents, using: &random) }

    private mutating func span(_ seconds: ClosedRange<Int>) -> Duration {
        .milliseconds(Int.random(in: (seconds.lowerBound * 1000 + 100)...(seconds.upperBound * 1000), using: &random))
    }

    /// How long a strike lasts at least.
    private func length(of strike: Strike) -> Duration {
        switch strike {
        case .kill(_, let span), .suspend(_, let span), .exhaust(let span), .hold(_, _, _, let span),
            .refuse(_, _, let span), .weather(_, let span):
            span
        case .freeze(_, let span, _, _, _): span + .seconds(3)
        case .endBackends(let times, let distance): distance * times
        case .orphan: .seconds(4)
        case .terminate, .restart, .lose, .reset: .seconds(1)
        }
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
