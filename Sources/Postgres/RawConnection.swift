import CLibPQ

/// libpq's handle of one connection, closed with the value.
///
/// It is used by one thread at a time: the actor that holds it has a thread of its own.
struct RawConnection: ~Copyable {
    let pointer: OpaquePointer
    let wakeUp: WakeUp
    /// How to ask the server to stop a statement; there once the connection is.
    var cancelHandle: CancelHandle?
    /// Set where the connection may still be hit by a request of ours to cancel, and so can't be used.
    var isTainted = false
    /// Whether the server's session is lent by a pooler, for a transaction at a time; known once it is open.
    var isPooled = false
    /// What the server keeps for this connection.
    var plans = KeptPlans()

    init(owning pointer: OpaquePointer, wakeUp: WakeUp) {
        self.pointer = pointer
        self.wakeUp = wakeUp
    }

    deinit { PQfinish(pointer) }

    /// Whether it is connected, with no answer left to read.
    var isUsable: Bool {
        guard !isTainted, PQstatus(pointer) == CONNECTION_OK else { return false }
        return switch transactionState {
        case .none, .open, .failed: true
        case .busy, .unknown: false
        }
    }

    enum TransactionState {
        case none, open, failed
        /// An answer is outstanding.
        case busy
        /// There is no connection.
        case unknown
    }

    var transactionState: TransactionState {
        switch PQtransactionStatus(pointer) {
        case PQTRANS_IDLE: .none
        case PQTRANS_INTRANS: .open
        case PQTRANS_INERROR: .failed
        case PQTRANS_ACTIVE: .busy
        default: .unknown
        }
    }

    /// As the connection was told when it was opened. A pooler tells a number of its own making.
    var backendPID: Int32 { PQbackendPID(pointer) }
    var serverVersion: Int { Int(PQserverVersion(pointer)) }
    var errorText: String { String(cString: PQerrorMessage(pointer)) }

    /// The next part of an answer, or `nil` after the last. Waits where `isBusy` has not been waited out.
    func nextResult() -> RawResult? {
        guard let result = PQgetResult(pointer) else { return nil }
        return RawResult(owning: result)
    }

    /// The next notification that libpq has read, freed as it is handed out.
    func nextNotification() -> Notification? {
        guard let notify = PQnotifies(pointer) else { return nil }
        defer { PQfreemem(notify) }
        return Notification(
            channel: String(cString: notify.pointee.relname), payload: String(cString: notify.pointee.extra),
            senderPID: notify.pointee.be_pid)
    }
}

/// What NOTIFY sent.
struct Notification: Sendable, Equatable {
    let channel: String
    let payload: String
    let senderPID: Int32
}

/// What is needed to cancel a connection's statement from another thread.
///
/// `@unchecked Sendable` is right here: the handle is a copy of the address and the key, made once and
/// never changed, and libpq documents that `PQcancel`, which only reads it, may run on any thread. It is
/// freed when the last holder lets go.
final class CancelHandle: @unchecked Sendable {
    private let pointer: OpaquePointer

    init?(_ connection: OpaquePointer) {
        guard let pointer = PQgetCancel(connection) else { return nil }
        self.pointer = pointer
    }

    deinit { PQfreeCancel(pointer) }

    /// Asks the server, over a connection of its own, and returns when the server has heard it. May wait as
    /// long as TCP does.
    func cancel() {
        var complaint = [CChar](repeating: 0, count: 256)
        _ = PQcancel(pointer, &complaint, Int32(complaint.count))
    }
}
