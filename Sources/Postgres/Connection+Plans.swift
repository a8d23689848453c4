/// What a connection knows of the plans that the server keeps for it. They end with the connection.
struct KeptPlans {
    /// What the server was told last about planning.
    enum Mode: Sendable {
        case eachTime
        case once
        /// Told one thing or the other, without an answer.
        case unknown
    }

    var mode = Mode.eachTime
    /// The server's name for a plan, by the text of its statement.
    private var names: [String: String] = [:]
    private var named = 0

    /// A connection that lost so many plans is one whose tables change all the time; it plans each time from then on.
    /// Nothing frees a plan that was lost before the connection's end, so this bounds them.
    private static let most = 100

    func name(of text: String) -> String? { names[text] }

    /// A name that no plan ever had; `nil`: there were enough.
    mutating func newName() -> String? {
        guard named < KeptPlans.most else { return nil }
        named += 1
        return "kept_\(named)"
    }

    mutating func note(_ name: String, of text: String) { names[text] = name }

    mutating func forget(_ text: String) { names[text] = nil }
}

extension Connection {
    /// Whether the server may keep a plan now. A session that a pooler lends us isn't ours to leave one in; and inside
    /// a transaction, where a failure of the plan would fail the whole, nothing is won by it.
    var canKeepPlans: Bool {
        switch transactionState {
        case .none: !isPooled
        case .open, .failed, .busy, .unknown: false
        }
    }

    /// Runs a statement by the plan that the server keeps of it, and has one made the first time.
    ///
    /// The server refuses a plan that a change of the table has made useless, and one that somebody has thrown away,
    /// before it runs anything; then the statement is planned this once. Whatever fails, the next run begins anew.
    func exchangeByKeptPlan(_ request: Request) throws(PostgresError) -> RawResult {
        guard let name = try keptPlan(of: request) else {
            try planEachTime()
            return try exchange(request, settings.patience())
        }
        do throws(PostgresError) {
            return try exchange(request.by(.kept(as: name)), settings.patience())
        } catch {
            raw?.plans.forget(request.text)
            guard error.sqlState.map(SQLState.isLostPlan) == true, isOpen else { throw error }
        }
        try planEachTime()
        return try exchange(request, settings.patience())
    }

    /// - Returns: `nil` where there is none, and none is to be made any more.
    private func keptPlan(of request: Request) throws(PostgresError) -> String? {
        if let name = raw?.plans.name(of: request.text) {
            try plan(.once)
            return name
        }
        guard let name = raw?.plans.newName() else { return nil }
        try plan(.once)
        _ = try exchange(request.by(.keeping(as: name)), settings.patience())
        raw?.plans.note(name, of: request.text)
        return name
    }

    /// Before anything that isn't planned once: the server's way of planning is the session's, not the statement's.
    func planEachTime() throws(PostgresError) { try plan(.eachTime) }

    private func plan(_ mode: KeptPlans.Mode) throws(PostgresError) {
        guard let now = raw?.plans.mode, now != mode else { return }
        raw?.plans.mode = .unknown
        let text =
            switch mode {
            // A plan that was made while a table was small must not read all of it when it is large.
            case .once: "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
            case .eachTime, .unknown: "RESET plan_cache_mode; RESET enable_seqscan"
            }
        _ = try exchange(Request(name: "planning", text: text, parameters: nil), settings.patience())
        raw?.plans.mode = mode
    }
}

extension Request {
    fileprivate func by(_ plan: Plan) -> Request {
        var request = self
        request.plan = plan
        return request
    }
}

extension SQLState {
    /// `feature_not_supported`, which is what a plan meets whose rows have other types by now, and
    /// `invalid_sql_statement_name`.
    fileprivate static func isLostPlan(_ state: String) -> Bool { ["0A000", "26000"].contains(state) }
}
