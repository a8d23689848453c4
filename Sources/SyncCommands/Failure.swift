import Postgres
import SyncStore

/// Why a command ends without having done its work: one sentence, one hint, one code of sysexits.h.
struct Failure: Error, Sendable {
    /// The codes that commands end with.
    enum Code: Int32, Sendable, CaseIterable {
        /// EX_USAGE: the command line can't be meant like that.
        case usage = 64
        /// EX_DATAERR: users were refused.
        case data = 65
        /// EX_NOINPUT: no such user.
        case noInput = 66
        /// EX_UNAVAILABLE: the database, or SignalWire.
        case unavailable = 69
        /// EX_SOFTWARE: a mistake of ours.
        case software = 70
        /// EX_TEMPFAIL: paused, or behind; try again later.
        case temporary = 75
        /// EX_CONFIG: the settings, or the schema.
        case config = 78
    }

    let code: Code
    let message: String
    let hint: String?

    init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    init(_ error: StoreError) {
        self.init(Code(error.code), error.message, hint: error.hint)
    }

    init(_ error: PostgresError) {
        self.init(error.code == .invalidSettings ? .config : .unavailable, error.message, hint: error.hint)
    }

    /// What stands on stderr.
    var text: String {
        let head = "subscriber-sync: \(message)\n"
        return hint.map { head + "hint: \($0)\n" } ?? head
    }
}

extension Failure.Code {
    fileprivate init(_ code: StoreError.Code) {
        switch code {
        case .mismatch, .schema: self = .config
        case .database: self = .unavailable
        case .noSuchUser: self = .noInput
        }
    }
}
