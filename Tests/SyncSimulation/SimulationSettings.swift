import SyncCore

/// What one seed makes of the world: how many agents, how long a lease, what may go wrong.
struct SimulationSettings: Sendable {
    /// What can go wrong, besides single calls and statements.
    enum Fault: CaseIterable, Sendable {
        case crash, stall, termination, databaseDown, databaseFlaky, signalWireDown, clientError, throttled, account
        case clockJump, operatorPause, resync, acceptance
    }

    let agents: Int
    let users: Int
    let mapped: [ProfileField]
    let dispatcher: DispatcherSettings
    let rules: PushRules
    let values: ValueRules
    /// New subscribers in 24 hours; -1: any number.
    let newSubscriberLimit: Int
    /// How long things go wrong, in milliseconds.
    let trouble: Int64
    /// How long the application writes, of that time.
    let lastWrite: Int64
    let writes: Int
    let faults: [Fault]
    /// How often one of them strikes.
    let strikes: Int
    /// How many writes do more than change a field: come, go, move, or change their reference.
    let upheaval: Double
    /// How often a notification is lost, a call isn't answered, and a statement fails.
    let lostNotification: Double
    let lostAnswer: Double
    let failedStatement: Double
    /// The most that a statement takes, in milliseconds.
    let slowestStatement: Int64
    /// Whether a reference of one user may become another's.
    let referencesMove: Bool
    /// `nil`: there are none.
    let brakes: Brakes?

    /// The brakes on mass changes, and what they are for.
    struct Brakes: Sendable {
        let sharePercent: Int
        let fewest: Int
        /// In milliseconds.
        let window: Int64
        let massChanges: Int
        /// How often the operator looks.
        let answers: Int

        init(using random: inout SeededRandom) {
            sharePercent = pick([20, 30, 40], &random)
            fewest = 5
            window = pick([3_000, 10_000, 20_000], &random)
            massChanges = .random(in: 1...4, using: &random)
            answers = .random(in: 0...8, using: &random)
        }
    }

    /// - Parameter hasBrakes: whether there is a limit to mass changes and to equal rejections. The draws of runs without
    ///   them stay as they are.
    init(using random: inout SeededRandom, mistakes: Set<Mistake>, hasBrakes: Bool = false) {
        let isHarsh = chance(0.4, &random)
        agents = .random(in: hasBrakes ? 1...2 : isHarsh ? 2...3 : 1...4, using: &random)
        users = .random(in: hasBrakes ? 6...10 : isHarsh ? 2...3 : 2...6, using: &random)
        mapped = Array([ProfileField.firstName, .jobTitle, .timeZone].prefix(.random(in: 1...3, using: &random)))
        let lease = Int64.random(in: isHarsh ? 8...14 : 8...60, using: &random)
        var dispatcher = DispatcherSettings(
            concurrency: .random(in: 1...4, using: &random), rate: pick([0, 1, 5, 50], &random),
            timeout: .seconds(Int64.random(in: 2...max(2, lease / 3), using: &random)), lease: .seconds(lease),
            pollInterval: .seconds(mistakes.contains(.listenWithoutPolling) ? 1_000_000 : pick([2, 5, 20], &random)))
        referencesMove = chance(0.8, &random)
        rules = PushRules(
            cleared: chance(0.8, &random) ? .sendEmpty : .omit,
            referenceChange: referencesMove && chance(0.6, &random) ? .hold : .new)
        newSubscriberLimit = pick([-1, -1, 3, 100], &random)
        trouble = .random(in: 20_000...200_000, using: &random)
        // Where the last write comes early, nothing but the agents' own care heals what goes wrong after it.
        lastWrite = chance(0.5, &random) ? trouble : trouble / 2
        writes = .random(in: hasBrakes ? 20...60 : 5...30, using: &random)
        // Most seeds have a bit of everything; the others a few users in a storm of crashes and silence.
        var faults =
            (isHarsh ? [.crash, .stall, .stall, .stall] : Fault.allCases.filter { _ in chance(0.4, &random) })
            + (hasBrakes ? [.clientError] : [])
        // Where the clock jumps, nobody can say how many changed within a window.
        if hasBrakes { faults.removeAll { $0 == .clockJump } }
        self.faults = faults
        strikes = faults.isEmpty ? 0 : .random(in: 1...(isHarsh ? 30 : 12), using: &random)
        upheaval = isHarsh || hasBrakes ? 0.05 : pick([0.3, 0.5], &random)
        lostNotification = pick([0, 0.2, 1], &random)
        lostAnswer = isHarsh ? pick([0.1, 0.6], &random) : pick([0, 0.1, 0.4], &random)
        failedStatement = pick([0, 0, 0.05, 0.2], &random)
        slowestStatement = pick([5, 50, 2_000], &random)
        // Where few seeds show what is wrong, each change of a row should be one at SignalWire.
        values = ValueRules(invalidTimeZone: isHarsh ? .send : users < 4 ? .omit : .hold)
        brakes = hasBrakes ? Brakes(using: &random) : nil
        if hasBrakes { dispatcher.equalRejections = pick([0, 2, 3], &random) }
        self.dispatcher = dispatcher
    }

    var leaseLength: Int64 { dispatcher.lease.millisecondsRoundedUp }
    var timeout: Int64 { dispatcher.timeout.millisecondsRoundedUp }

    /// How long after it was sent a request may land. Where the database's clock jumps, a lease says
    /// nothing of real time any more, and only what lands before its deadline can be answered for.
    var latestLanding: Int64 { faults.contains(.clockJump) ? timeout : leaseLength }
}

/// One of the values, each as likely.
func pick<Value>(_ values: [Value], _ random: inout SeededRandom) -> Value {
    values[Int.random(in: 0..<values.count, using: &random)]
}

/// Whether something of that probability happens.
func chance(_ probability: Double, _ random: inout SeededRandom) -> Bool {
    Double.random(in: 0..<1, using: &random) < probability
}
