import Logging
import Postgres
import ServiceLifecycle
import SignalWire
import SyncCore
import SyncStore
import NIOConcurrencyHelpers

/// One agent: it runs the dispatcher's decisions.
///
/// Events come in by one stream (answers, wake-ups, alarms), one task owns the dispatcher and drains it,
/// and every action runs outside of that task and answers with an event. So the dispatcher needs no lock,
/// and nothing that is slow can hold up the loop.
public final class Agent: Service {
    private let identity: AgentIdentity
    private let settings: AgentSettings
    private let store: Store
    /// The store of the loop, and that of the sweeper, each on a session of its own.
    private let keeper: StoreKeeper
    private let sweeperKeeper: StoreKeeper
    private let client: SubscriberClient
    public let pulse: AgentPulse
    private let narrator: Narrator
    private let metrics: AgentMetrics
    private let sonar: NIOLockedValueBox<Sonar>
    private let sweepPlan: NIOLockedValueBox<SweepPlan>
    /// By what this agent sends.
    private let outline: MappingOutline
    /// What an operator may change meanwhile.
    private let tuning: NIOLockedValueBox<AgentTuning>
    private let blast: NIOLockedValueBox<BlastGauge>
    private let clock = MonotonicClock()
    private let events: AsyncStream<DispatcherEvent>
    private let inbox: AsyncStream<DispatcherEvent>.Continuation
    /// Asks for a count of the fleet; one that is waiting already is enough.
    private let recounts: AsyncStream<Void>
    private let recount: AsyncStream<Void>.Continuation
    private let end = NIOLockedValueBox<DispatcherEnd?>(nil)
    private let refused = NIOLockedValueBox<StoreError?>(nil)

    public init(
        identity: AgentIdentity, settings: AgentSettings, store: Store, client: SubscriberClient, logger: Logger,
        metrics: AgentMetrics = AgentMetrics()
    ) {
        self.identity = identity
        self.settings = settings
        tuning = NIOLockedValueBox(settings.tuning)
        blast = NIOLockedValueBox(BlastGauge(sharePercent: settings.changedSharePercent))
        self.store = store
        keeper = StoreKeeper(store)
        sweeperKeeper = StoreKeeper(store.onSession(Session(store.connection)))
        self.client = client
        outline = MappingOutline(of: store.source.mapping, rules: settings.rules)
        pulse = AgentPulse()
        self.metrics = metrics
        narrator = Narrator(logger: logger, pulse: pulse, metrics: metrics)
        sonar = NIOLockedValueBox(Sonar(agent: identity.id, silence: settings.silence))
        sweepPlan = NIOLockedValueBox(
            SweepPlan(
                sweeping: settings.sweeping, pollInterval: settings.dispatcher.pollInterval,
                hasUpdatedAt: store.source.mapping.updatedAt != nil))
        (events, inbox) = AsyncStream.makeStream()
        (recounts, recount) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// How it ended; `nil` while it runs.
    public var outcome: DispatcherEnd? { end.withLockedValue { $0 } }

    /// Why it stopped by itself: the schema was migrated beyond what it can work with. `nil`: it wasn't.
    public var refusal: StoreError? { refused.withLockedValue { $0 } }

    /// How it comes to know of changes, as far as can be told now.
    public var wakeUp: WakeUp { sonar.withLockedValue(\.wakeUp) }

    /// Whether it should hear of changes by LISTEN.
    public var isToListen: Bool { settings.silence == nil }

    /// How often each of its sessions was connected anew, by what the session is for.
    public var reconnects: [(session: String, count: Int)] {
        get async {
            [("work", await keeper.any.reconnects), ("sweep", await sweeperKeeper.any.reconnects)]
        }
    }

    /// Stops claiming, finishes what is in flight, and ends.
    public func stop() {
        pulse.update { $0.isStopping = true }
        inbox.yield(.stopRequested)
    }

    /// Takes settings that an operator changed.
    public func tune(_ tuning: AgentTuning) {
        let before = self.tuning.withLockedValue { current in
            defer { current = tuning }
            return current
        }
        if before.changedSharePercent != tuning.changedSharePercent {
            blast.withLockedValue { $0 = BlastGauge(sharePercent: tuning.changedSharePercent) }
        }
        inbox.yield(.tuned(tuning.pace))
    }

    /// Looks for changes at once, as after a notification.
    func look() { inbox.yield(.notified) }

    private func stop(because refusal: StoreError) {
        let isNews = refused.withLockedValue { refused in
            defer { refused = refusal }
            return refused == nil
        }
        guard isNews else { return }
        narrator.refuses(refusal)
        stop()
    }

    /// Runs until it is stopped, or nothing is due if that was asked for.
    public func run() async throws {
        narrator.started(["agent": "\(identity.id)"])
        for field in store.source.mapping.sentFields { field.caution.map { narrator.cautions(field, $0) } }
        // Before anything is claimed: a copy of the database must not push by itself.
        if let found = try? await store.checkIdentity() { narrator.identified(found) }
        // Before anything is sent: who else is there shares the rate, and the others hear of us.
        await beat(number: 0)
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                let listener = Listener(settings.listening, channels: ["subscriber_sync"])
                let desk = AsyncStream<DatabaseWork>.makeStream()
                group.addTask { await listener.run() }
                group.addTask { await self.hear(listener) }
                group.addTask { await self.beat() }
                group.addTask { await self.count() }
                group.addTask { await self.work(desk.stream) }
                group.addTask { await self.sweep() }
                await self.loop(&group, desk.continuation)
                desk.continuation.finish()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.stop()
        }
        try? await store.leave(identity, farewell: Sonar.farewell(of: identity.id))
        await sweeperKeeper.any.close()
    }

    /// The loop: what happened goes in, what is to be done comes out and is begun.
    private func loop(_ group: inout DiscardingTaskGroup, _ desk: AsyncStream<DatabaseWork>.Continuation) async {
        var rules = settings.dispatcher
        rules.awaitsSweeps = true
        var dispatcher = Dispatcher(settings: rules, seed: .random(in: .min ... .max))
        var alarm: Task<Void, Never>?
        defer { alarm?.cancel() }
        inbox.yield(.started)
        for await event in events {
            let now = clock.now
            for action in dispatcher.handle(event, at: now) {
                begin(action, &group, desk, &alarm)
            }
            let (held, inFlight, concurrency) = (dispatcher.held, dispatcher.inFlight, dispatcher.concurrency)
            pulse.update { reading in
                reading.turnedAt = .now
                reading.held = held
                reading.inFlight = inFlight
                reading.concurrency = concurrency
            }
            if dispatcher.isFinished || Task.isCancelled { return }
        }
    }

    /// Begins one action. None of them waits.
    private func begin(
        _ action: DispatcherAction, _ group: inout DiscardingTaskGroup,
        _ desk: AsyncStream<DatabaseWork>.Continuation, _ alarm: inout Task<Void, Never>?
    ) {
        switch action {
        case .claim(let limit): desk.yield(.claim(limit: limit))
        case .settle(let batch): desk.yield(.settle(batch))
        case .throttleFleet(let wait): desk.yield(.throttleFleet(wait))
        case .pauseFleet(let problem): desk.yield(.pauseFleet(problem))
        case .suspectFleet(let suspicion): desk.yield(.suspectFleet(suspicion))
        case .resumeFleet: desk.yield(.resumeFleet)
        case .push(let job): group.addTask { await self.push(job) }
        case .wake(let instant):
            alarm?.cancel()
            alarm = Task {
                guard (try? await clock.sleep(until: instant)) != nil else { return }
                inbox.yield(.ticked)
            }
        case .finish(let how):
            end.withLockedValue { $0 = how }
            narrator.ended(how)
        }
    }

    private func push(_ job: Job) async {
        // Only cancellation is thrown, and then nobody listens for the answer any more.
        guard let answer = try? await client.push(job.push) else { return }
        metrics.answered(answer)
        inbox.yield(.answered(job, answer))
    }

    private func work(_ stream: AsyncStream<DatabaseWork>) async {
        let (pulse, tuning) = (pulse, tuning)
        let desk = DatabaseDesk(
            keeper: keeper, rules: settings.rules, newSubscriberLimit: { tuning.withLockedValue(\.newSubscriberLimit) },
            clock: clock,
            narrator: narrator, bounds: NIOLockedValueBox(LookBounds()),
            blast: blast, agents: { pulse.reading.agents })
        for await work in stream {
            if let event = await desk.perform(work) { inbox.yield(event) }
        }
    }

    /// An agent that ends once nothing is due looks for itself first, where nothing else tells of changes.
    private func sweep() async {
        let inbox = inbox
        let plan = sweepPlan
        if store.source.mapping.updatedAt != nil, let sees = try? await store.seesTransactions() {
            plan.withLockedValue { $0.seesTransactions = sees }
            if !sees { narrator.cannotSeeTransactions() }
        }
        if settings.dispatcher.isUntilIdle, settings.sweeping.mode == .poll {
            try? await store.requestSweep(because: SweepReason.poll.text)
        }
        let sonar = sonar
        let examination: @Sendable (CaptureHealth) -> Bool = { health in
            plan.withLockedValue { $0.isCaptureIntact = health == .intact }
            return sonar.withLockedValue { $0.examined(health) }
        }
        let sweeper = Sweeper(
            keeper: sweeperKeeper, settings: settings.sweeping.pages, narrator: narrator,
            schedules: { plan.withLockedValue(\.schedules) },
            onExamination: settings.sweeping.mode == .listen ? examination : nil, onFinding: { inbox.yield(.notified) },
            onFirstRest: { inbox.yield(.sweepsRested) }, onMisfit: { inbox.yield(.sweepsFailed) })
        await sweeper.run()
    }

    /// A notification says only "look"; a fresh LISTEN may have missed some.
    private func hear(_ listener: Listener) async {
        for await event in listener.events {
            switch event {
            case .listening:
                sonar.withLockedValue { $0.connected() }
                recount.yield()
                inbox.yield(.notified)
            case .pooled: sonar.withLockedValue { $0.foundPooler() }
            case .lost(let error):
                metrics.listeningLost()
                sonar.withLockedValue { $0.lost(error.message) }
            case .notified(_, let payload, _):
                switch sonar.withLockedValue({ $0.hears(payload) }) {
                case .change: inbox.yield(.notified)
                case .fleetChange: recount.yield()
                case .canary: break
                }
            }
        }
    }

    /// Says that we are alive, again and again; the first time was before the loop.
    private func beat() async {
        await keepHouse()
        for number in 1... {
            let pause = number <= 2 ? AgentSettings.firstHeartbeatInterval : AgentSettings.heartbeatInterval
            guard (try? await Task.sleep(for: pause)) != nil else { return }
            await beat(number: number)
        }
    }

    /// Says that we are alive, counts who shares the rate, and keeps house now and then.
    private func beat(number: Int) async {
        let (wakeUp, trouble, canary) = sonar.withLockedValue { ($0.wakeUp, $0.captureTrouble, $0.nextCanary()) }
        if number > 0 { narrator.wakeUpSeen(wakeUp) }
        let agents = try? await store.heartbeat(
            identity, wakeUp: wakeUp, captureTrouble: trouble, mapping: outline, canary: canary)
        if let agents {
            counted(agents)
            if let change = try? await store.announce(outline, by: identity) { narrator.mappingChanged(change) }
        }
        guard number > 0 else { return }
        if let found = try? await store.checkIdentity() { narrator.identified(found) }
        if let refusal = try? await store.outgrown() { stop(because: refusal) }
        if number % AgentSettings.heartbeatsPerHousekeeping == 0 { await keepHouse() }
    }

    /// Counts who shares the rate whenever somebody came or left, rather than at the next heartbeat.
    private func count() async {
        for await _ in recounts {
            if let agents = try? await store.countAgents(with: identity) { counted(agents) }
        }
    }

    private func counted(_ agents: Int) {
        pulse.update { $0.agents = agents }
        inbox.yield(.fleetCounted(agents))
    }

    /// What fails here is tried again at the next round, and the loop tells of a database that is gone.
    private func keepHouse() async {
        if let nameless = try? await store.replaceNamelessChanges(), nameless > 0 { narrator.foundNameless(nameless) }
        let tuning = tuning.withLockedValue { $0 }
        while let gone = try? await store.prune(logOlderThan: tuning.logRetention, keeping: tuning.logRows),
            gone >= Store.prunePage
        {}
        _ = try? await store.pruneMessages()
        if let released = try? await store.releaseHeld(limit: tuning.newSubscriberLimit), released > 0 {
            inbox.yield(.notified)
        }
    }
}
