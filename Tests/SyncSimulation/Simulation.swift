import SyncCore

/// One run: several agents, a database and SignalWire in virtual time, and everything that can go wrong,
/// all of it decided by one seed.
///
/// For a while the application writes and faults strike. Then both stop, and everything must come to rest
/// with SignalWire knowing what the table says. What must hold at every moment is checked as it happens.
public struct Simulation {
    let seed: UInt64
    let mistakes: Set<Mistake>
    let settings: SimulationSettings
    let isTracing: Bool
    var random: SeededRandom
    var queue = EventQueue<WorldEvent>()
    var now: Int64 = 0
    var store: ModelStore
    var signalWire = ModelSignalWire()
    var agents: [ModelAgent] = []
    /// The calls whose agents still wait for an answer.
    var openCalls: [Int: Call] = [:]
    /// Requests that have not landed yet.
    var requestsUnderWay = 0
    var phase = Phase.trouble
    var weather = Weather()
    /// How far the database's clock is ahead of real time, and when it last jumped.
    var clockAhead: Int64 = 0
    var clockJumpedAt: Int64 = .min
    var usersEverWritten: Set<UserKey> = []
    /// References of which nothing can be promised: a call was sent for them by an agent that had slept through
    /// its lease, and then the agent was gone before it could write that down. Nobody knows of such a
    /// call. The real client closes the gap but for the moment between its last look at the clock and
    /// the first byte.
    var excused: Set<String> = []
    /// Who was admitted with a reference last, and how often the operator took a user's new one.
    var owners: [String: UserKey] = [:]
    var acceptances: [UserKey: Int] = [:]
    var watch = BrakeWatch()
    /// What each lease was taken for, where there are brakes.
    var claimed: [Lease: ClaimedChange] = [:]
    private var events = 0
    var violation: String?
    var trace: [String] = []
    var figures = SimulationFigures()
    var lastNumber = 0

    /// Where the run is.
    enum Phase: Equatable {
        /// The application writes, and things go wrong. → `calming`
        case trouble
        /// Nothing goes wrong any more, and everything comes to rest. → `retried`
        case calming
        /// The operator asked for those that were refused once more. → over
        case retried
    }

    /// What is wrong for a while, and until when.
    struct Weather {
        var databaseDownUntil: Int64 = .min
        var databaseFlakyUntil: Int64 = .min
        var signalWire: (fate: CallFate, until: Int64)?
    }

    /// How long it may take until everything has come to rest: some retries at the longest backoff.
    static let patience: Int64 = 4 * 3_600_000
    /// Many times what any run takes that comes to rest.
    static let mostEvents = 500_000
    /// How many lines of the trace are kept.
    static let traceLength = 40

    /// Runs one seed. Where it breaks a promise, it runs once more to write down how.
    ///
    /// - Parameter hasBrakes: whether there are mass changes, and brakes to hold them.
    public static func run(
        seed: UInt64, mistakes: Set<Mistake> = [], hasBrakes: Bool = false
    ) -> SimulationVerdict {
        var simulation = Simulation(seed: seed, mistakes: mistakes, hasBrakes: hasBrakes, isTracing: false)
        simulation.run()
        guard simulation.violation != nil else { return .held(simulation.figures) }
        var again = Simulation(seed: seed, mistakes: mistakes, hasBrakes: hasBrakes, isTracing: true)
        again.run()
        return .broken(
            SimulationFailure(
                seed: seed, violation: again.violation ?? "It held when it ran again: the run isn't deterministic.",
                at: again.now, trace: again.trace.suffix(traceLength)))
    }

    init(seed: UInt64, mistakes: Set<Mistake>, hasBrakes: Bool, isTracing: Bool) {
        self.seed = seed
        self.mistakes = mistakes
        self.isTracing = isTracing
        random = SeededRandom(seed: seed)
        settings = SimulationSettings(using: &random, mistakes: mistakes, hasBrakes: hasBrakes)
        store = ModelStore(
            leaseLength: settings.leaseLength, mapped: settings.mapped, mistakes: mistakes, values: settings.values)
    }

    /// The database's clock.
    var databaseNow: Int64 { now + clockAhead }

    mutating func run() {
        let described = settings
        note("\(described)")
        populate()
        while violation == nil, let (instant, event) = queue.next() {
            now = instant
            events += 1
            if events > Self.mostEvents { fail("It is busy without an end: " + restlessness) }
            perform(event)
            if phase != .trouble, isAtRest { advancePhase() }
            if phase == .retried, isAtRest, !approvesMore() { break }
            if now > settings.trouble + Self.patience { fail("It does not converge: " + restlessness) }
        }
        if violation == nil { checkAtRest() }
        figures.duration = now
    }

    /// Begins the agents, and schedules what the application does and what goes wrong.
    private mutating func populate() {
        for index in 0..<settings.agents {
            agents.append(
                ModelAgent(
                    index: index, dispatcher: Dispatcher(settings: settings.dispatcher, seed: 0),
                    clockOffset: .random(in: 0...1_000_000_000, using: &random)))
            queue.schedule(.agentStarts(index), at: .random(in: 0...3_000, using: &random))
        }
        for _ in 0..<settings.writes {
            queue.schedule(.applicationWrites, at: .random(in: 0..<settings.lastWrite, using: &random))
        }
        for _ in 0..<settings.strikes {
            queue.schedule(.faultStrikes, at: .random(in: 0..<settings.trouble, using: &random))
        }
        if settings.brakes != nil { writeFirst() }
        for _ in 0..<(settings.brakes?.massChanges ?? 0) {
            queue.schedule(.massChange, at: .random(in: 0..<settings.lastWrite, using: &random))
        }
        for _ in 0..<(settings.brakes?.answers ?? 0) {
            queue.schedule(.operatorAnswers, at: .random(in: 0..<settings.trouble, using: &random))
        }
        queue.schedule(.faultsHeal, at: settings.trouble)
        figures.agents = settings.agents
    }

    private mutating func perform(_ event: WorldEvent) {
        switch event {
        case .reaches(let life, let what): reach(life, what)
        case .executes(let statement, let life, let fate): execute(statement, from: life, fate)
        case .lands(let call, let isAnswered): land(call, isAnswered: isAnswered)
        case .applicationWrites: writeSomething()
        case .faultStrikes: strike()
        case .operatorResumes: resumeByOperator()
        case .massChange: writeToAll()
        case .operatorAnswers: answerBrakes()
        case .agentStarts(let index): start(index)
        case .faultsHeal: heal()
        }
    }

    /// Nothing is due, nobody works, and nothing is on its way.
    private var isAtRest: Bool {
        store.isQuiet && requestsUnderWay == 0 && agents.allSatisfy { $0.dispatcher.held == 0 && !$0.isDeskBusy }
    }

    private var restlessness: String {
        let due = store.knownUsers.filter { store.subscribers[$0]?.dueAt != nil }
        return "\(store.changes.count) changes, due: \(due), held: \(agents.map(\.dispatcher.held))"
    }

    /// At rest for the first time, the operator asks for those again that were refused: what refused them
    /// may have gone meanwhile.
    private mutating func advancePhase() {
        guard phase == .calming else { return }
        phase = .retried
        if settings.brakes != nil { approve() }
        store.resync(.failed, isForced: false, now: databaseNow)
        note("resync --failed")
        notifyAll()
    }

    /// At rest again, the operator says yes until no brake holds anybody; what a limit lets through one time after the
    /// other takes several.
    private mutating func approvesMore() -> Bool {
        guard settings.brakes != nil, watch.approvals < settings.users else { return false }
        watch.approvals += 1
        guard approve() else { return false }
        notifyAll()
        return true
    }

    mutating func fail(_ what: String) {
        guard violation == nil else { return }
        violation = what
        note("VIOLATED: \(what)")
    }

    /// A line of the trace; not even made where nobody reads it.
    mutating func note(_ line: @autoclosure () -> String) {
        guard isTracing else { return }
        trace.append("\(now) ms  \(line())")
    }

    mutating func number() -> Int {
        lastNumber += 1
        return lastNumber
    }
}
