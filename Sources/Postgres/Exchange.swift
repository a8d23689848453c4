import CLibPQ

/// What is sent to the server in one go.
struct Request {
    /// What errors call it.
    let name: String
    let text: String
    /// `nil`: the simple protocol, which takes several statements and no parameters.
    let parameters: CStringTable?
    /// Whether cancelling the task cancels it. ROLLBACK and COMMIT have to come to their end.
    var isInterruptible = true
    var plan = Plan.unnamed

    /// Whose plan it runs by.
    enum Plan {
        /// One for this time.
        case unnamed
        /// None: the server is asked to keep one under a name, and runs nothing.
        case keeping(as: String)
        /// The one that the server keeps under a name.
        case kept(as: String)
    }
}

/// What a wait does when it is disturbed.
private enum Attention {
    /// Waiting for the answer.
    case patient(Deadline)
    /// The task was cancelled: the server was asked to stop, and its answer is still to be read.
    case cancelling(Cancellation, Deadline)

    var deadline: Deadline {
        switch self {
        case .patient(let deadline), .cancelling(_, let deadline): deadline
        }
    }

    var isCancelling: Bool {
        switch self {
        case .patient: false
        case .cancelling: true
        }
    }
}

extension RawConnection {
    /// Sends a request and reads its answer to the end.
    ///
    /// - Returns: the last part of the answer, which is never a failure.
    /// - Throws: also where the connection has become unusable; `isUsable` tells.
    mutating func exchange(_ request: Request, _ patience: Patience) throws(PostgresError) -> RawResult {
        var attention = Attention.patient(patience.deadline)
        try send(request)
        try flush(request, &attention, patience.grace)
        let result = try collect(request, &attention, patience.grace)
        outlast(attention)
        guard let result else { throw lost(request) }
        switch result.kind {
        case .command, .rows: return result
        case .copy: throw copyRefused(request)
        case .failure: throw failure(result, of: request, attention, patience)
        }
    }

    private func send(_ request: Request) throws(PostgresError) {
        let isSent =
            if let parameters = request.parameters {
                parameters.withPointers { values in send(request, Int32(parameters.count), values) }
            } else {
                PQsendQuery(pointer, request.text)
            }
        guard isSent == 1 else { throw lost(request) }
    }

    private func send(
        _ request: Request, _ count: Int32, _ values: UnsafePointer<UnsafePointer<CChar>?>?
    ) -> Int32 {
        switch request.plan {
        case .unnamed: PQsendQueryParams(pointer, request.text, count, nil, values, nil, nil, 0)
        case .keeping(let name): PQsendPrepare(pointer, name, request.text, 0, nil)
        case .kept(let name): PQsendQueryPrepared(pointer, name, count, values, nil, nil, 0)
        }
    }

    /// Reads while it writes: a server that can't send its answer does not read on.
    private mutating func flush(
        _ request: Request, _ attention: inout Attention, _ grace: Duration
    ) throws(PostgresError) {
        while true {
            switch PQflush(pointer) {
            case 0: return
            case 1: try attend(to: [.reading, .writing], request, &attention, grace)
            default: throw lost(request)
            }
        }
    }

    /// Reads all parts, and keeps the first that failed, or else the last.
    private mutating func collect(
        _ request: Request, _ attention: inout Attention, _ grace: Duration
    ) throws(PostgresError) -> RawResult? {
        var kept: RawResult?
        while true {
            while PQisBusy(pointer) == 1 { try attend(to: .reading, request, &attention, grace) }
            guard let next = nextResult() else { return kept }
            let kind = next.kind
            if RawConnection.isFailure(kept) { continue }
            kept = consume next
            // What follows would be the data, without end. The connection is left busy, and so given up.
            if case .copy = kind { return kept }
        }
    }

    private static func isFailure(_ result: borrowing RawResult?) -> Bool {
        switch result {
        case .none: false
        case .some(let result): result.kind == .failure
        }
    }

    /// Waits until the socket has something, and takes it in.
    private mutating func attend(
        to interest: WakeUp.Interest, _ request: Request, _ attention: inout Attention, _ grace: Duration
    ) throws(PostgresError) {
        let slice = isEncrypted ? attention.deadline.atMost(RawConnection.encryptedSlice) : attention.deadline
        let awakening = wakeUp.wait(for: interest, of: PQsocket(pointer), until: slice)
        if awakening.isSignalled, request.isInterruptible, Task.isCancelled, !attention.isCancelling {
            attention = .cancelling(Cancellation(cancelHandle, wakeUp: wakeUp), .after(grace))
        }
        if awakening.isSocketReady || (isEncrypted && !attention.deadline.hasPassed) {
            // Where the connection broke, libpq answers with a failure that tells how.
            _ = PQconsumeInput(pointer)
        } else if !awakening.isSignalled {
            throw attention.isCancelling ? .cancelled(request.name) : unanswered(request)
        }
    }

    private var isEncrypted: Bool { PQsslInUse(pointer) == 1 || PQgssEncInUse(pointer) == 1 }

    /// How often an encrypted connection is read without the socket saying so: the last part of a large
    /// record may wait inside the TLS library, where `poll` doesn't see it.
    private static let encryptedSlice = Duration.milliseconds(50)

    /// Waits until the request to cancel can't hit another statement any more.
    private mutating func outlast(_ attention: Attention) {
        guard case .cancelling(let cancellation, let deadline) = attention else { return }
        while !cancellation.isOver {
            let awakening = wakeUp.wait(for: [], of: -1, until: deadline)
            if !awakening.isSignalled, !cancellation.isOver {
                isTainted = true
                return
            }
        }
    }

    /// The server gives one SQLSTATE to three things: our cancellation, its timeout, and somebody else.
    private func failure(
        _ result: borrowing RawResult, of request: Request, _ attention: Attention, _ patience: Patience
    ) -> PostgresError {
        let error = PostgresError(result, of: request, isConnectionLost: PQstatus(pointer) != CONNECTION_OK)
        guard error.code == .statementFailed, error.sqlState == SQLState.queryCanceled else { return error }
        if attention.isCancelling { return .cancelled(request.name) }
        return patience.timeoutPasses.hasPassed ? error.with(.deadlineExceeded) : error
    }

    private func lost(_ request: Request) -> PostgresError {
        PostgresError(
            .connectionLost, "The connection to PostgreSQL was lost during statement \(request.name).",
            statement: request.name)
    }

    private func unanswered(_ request: Request) -> PostgresError {
        PostgresError(
            .connectionLost,
            "PostgreSQL did not answer statement \(request.name) in time, so its connection was given up.",
            statement: request.name,
            hint: isPooled
                ? "Look at the network, at the load of the database server, and whether the pooler has a connection "
                    + "to it to spare."
                : "Look at the network, and at the load of the database server.")
    }

    private func copyRefused(_ request: Request) -> PostgresError {
        PostgresError(
            .unexpectedResult, "Statement \(request.name) is a COPY from or to the client, which is not supported.",
            statement: request.name)
    }
}
