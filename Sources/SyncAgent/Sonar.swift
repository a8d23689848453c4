import SyncStore

/// Finds out whether notifications arrive, instead of assuming it.
///
/// A pooler that makes up the number of the server's process is known as soon as the listener has connected.
/// One that doesn't, or whatever else makes LISTEN succeed and hear nothing, is found out: each heartbeat
/// sends a numbered notification to ourselves, and the next one looks whether it came back.
public struct Sonar: Sendable {
    private let agent: String
    /// Why no change knocks, where that is known beforehand.
    private let silence: String?
    /// What keeps triggers from telling of every change, as it was found last.
    public private(set) var captureTrouble: String?
    private var sent = 0
    private var heard = 0
    private var link = Link.connecting
    /// Whom we have heard of among the others; ids of those that were killed stay until there are too many.
    private var others: Set<String> = []

    /// What a notification tells.
    public enum Knock: Sendable, Hashable {
        /// Somebody may have changed: look.
        case change
        /// Some agent is alive, as it was before.
        case canary
        /// An agent came that wasn't heard before, or one left: the rate is shared anew.
        case fleetChange
    }

    /// The listening connection.
    enum Link: Sendable, Hashable {
        /// → `up`, `pooled`, `down`
        case connecting
        /// LISTEN was accepted. → `down`
        case up
        /// A pooler is in between, and nothing is listened to. → `up`, `pooled`, `down`
        case pooled
        /// → `up`, `pooled`, `down`
        case down(String)
    }

    public init(agent: String, silence: String?) {
        self.agent = agent
        self.silence = silence
    }

    /// The payload of the next knock, and from now on the one that is waited for.
    public mutating func nextCanary() -> String {
        sent += 1
        return "\(Sonar.canary)\(agent):\(sent)"
    }

    /// Takes in a notification; only one that is neither a canary nor a farewell is a reason to look for changes.
    public mutating func hears(_ payload: String) -> Knock {
        if payload.hasPrefix(Sonar.farewell) {
            others.remove(String(payload.dropFirst(Sonar.farewell.count)))
            return .fleetChange
        }
        guard payload.hasPrefix(Sonar.canary), let colon = payload.lastIndex(of: ":") else { return .change }
        let sender = payload[..<colon].dropFirst(Sonar.canary.count)
        if sender == agent {
            if let number = Int(payload[payload.index(after: colon)...]) { heard = max(heard, number) }
            return .canary
        }
        if others.count >= Sonar.mostOthers { others.removeAll() }
        return others.insert(String(sender)).inserted ? .fleetChange : .canary
    }

    private static let canary = "canary:"
    private static let farewell = "left:"
    /// A fleet is smaller; beyond it everybody is heard for the first time again, which costs a count each.
    private static let mostOthers = 1000

    public mutating func connected() {
        link = .up
        // What was sent before this LISTEN could not be heard.
        heard = max(heard, sent)
    }

    /// What the others are told when this agent leaves.
    public static func farewell(of agent: String) -> String { farewell + agent }

    public mutating func foundPooler() { link = .pooled }

    /// - Returns: whether triggers tell of every change again, after they didn't.
    public mutating func examined(_ health: CaptureHealth) -> Bool {
        let wasBroken = captureTrouble != nil
        switch health {
        case .intact: captureTrouble = nil
        case .broken(let what, let hint): captureTrouble = "\(what) \(hint)"
        }
        return wasBroken && captureTrouble == nil
    }

    public mutating func lost(_ reason: String) { link = .down(reason) }

    /// How changes come to be known, as far as can be told now.
    public var wakeUp: WakeUp {
        if let silence { return .polling(silence) }
        if let captureTrouble { return .polling(captureTrouble) }
        switch link {
        case .connecting: return .polling("the listening connection is not up yet")
        case .down(let reason): return .polling("the listening connection is down: \(reason)")
        case .pooled:
            return .polling(
                "the listening connection goes through a pooler (PQbackendPID is not pg_backend_pid()), so it can't "
                    + "LISTEN; \(Sonar.remedy)")
        case .up:
            let isDeaf = heard < sent
            return isDeaf
                ? .polling("LISTEN hears nothing, as behind a transaction pooler; \(Sonar.remedy)") : .notify
        }
    }

    private static let remedy = "DATABASE_LISTEN_URL can name a direct connection"
}
