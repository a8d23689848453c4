import SyncCore

/// Which life of which agent: after a crash the same agent lives again, and hears nothing of before.
struct AgentLife: Hashable {
    let agent: Int
    let life: Int
}

/// What happens in the world at an instant.
enum WorldEvent {
    /// Something reaches an agent, if that life of it still is.
    case reaches(AgentLife, AgentEvent)
    /// A statement reaches the database, whatever has become of who sent it.
    case executes(DatabaseStatement, AgentLife, StatementFate)
    /// A request reaches SignalWire, whatever has become of who sent it.
    case lands(Call, answered: Bool)
    case applicationWrites
    case faultStrikes
    case operatorResumes
    case massChange
    case operatorAnswers
    case agentStarts(Int)
    case faultsHeal
}

/// What reaches an agent.
enum AgentEvent {
    case hears(DispatcherEvent)
    /// The alarm of that number; only the newest counts.
    case alarm(Int)
    /// A call that was decided on is really made.
    case sends(Job)
    case callEnds(Int, PushAnswer)
    case databaseAnswers(DatabaseAnswer)
}

/// A statement on its way. What belongs to a claim is carried along.
enum DatabaseStatement {
    case beginClaim(limit: Int, claimedAt: Instant)
    case claim(limit: Int, claimedAt: Instant, ClaimSnapshot)
    case count(PlannedClaims)
    case brake(PlannedClaims)
    case admit([ModelAdmissionRequest], PlannedClaims)
    case settle([Settlement])
    case throttle(Int64)
    case pause
    case suspect(Suspicion)
    case resume
}

/// What the database says to an agent.
enum DatabaseAnswer {
    case claimed(ModelClaimBatch, claimedAt: Instant)
    case counted(changed: Int, known: Int, PlannedClaims)
    case braked(PlannedClaims)
    case admitted([UserKey: Admission], PlannedClaims)
    case settled(SettleReport)
    case done
    /// It didn't happen, or nobody knows whether it did.
    case failed(DatabaseStatement)
}

/// A claim's users, planned, while the database is asked whether they may be admitted.
struct PlannedClaims {
    var plans: [(Claim, PushPlan)]
    /// Those that a brake holds.
    var held: [Settlement] = []
    let batch: ModelClaimBatch
    let claimedAt: Instant
}

/// What becomes of a statement.
enum StatementFate {
    case succeeds
    case failsBefore
    /// Committed, but the answer is lost.
    case failsAfter
}

/// A request to SignalWire.
struct Call {
    let number: Int
    let life: AgentLife
    let job: Job
    let fate: CallFate
    /// When the claim behind it was asked for, and when it was sent: milliseconds of real time.
    let claimedAt: Int64
    let sentAt: Int64
}

/// What SignalWire does with a request that reaches it.
enum CallFate: Equatable {
    case applies
    case rejects
    case throttles(retryAfter: Int64?)
    case fails(applies: Bool)
    case refusesAccount
}
