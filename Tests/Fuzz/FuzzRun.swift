import Foundation
import Glibc
import Synchronization
import SyncCore
import Testing

/// Runs one subject over many inputs, and says of which seed it failed.
///
/// By default a short round: so many inputs of each subject. Variables make it longer, or one input of it:
///
///     SUBSCRIBER_SYNC_FUZZ_SECONDS=60   each subject for so long, however many inputs that are
///     SUBSCRIBER_SYNC_FUZZ_FIRST=1000   the first seed; 1 otherwise
///     SUBSCRIBER_SYNC_FUZZ_SEED=17      this input alone
///
/// An input that crashes the process, or hangs, is named on stderr before the process ends.
struct FuzzRun {
    private static let shortRound = 3000
    /// The processor's time for one input: on a busy machine only that tells anything.
    private static let longestSeconds = 2.0
    /// The clock's: then the process is ended, because nothing else can end it.
    private static let hangSeconds = 60.0
    /// By how much the process may grow while one subject runs.
    private static let mostKiB = 512 * 1024

    /// What a property has to say.
    enum Verdict {
        case held
        /// What was found, with as much of the input as helps.
        case broken(String)
    }

    /// - Parameters:
    ///   - count: how many inputs there are, where they aren't drawn; they have the seeds from 1.
    ///   - property: makes an input of its seed, uses it, and judges.
    static func over(_ subject: String, count: Int? = nil, _ property: (inout FuzzInput) throws -> Verdict) {
        let settings = Settings()
        let seeds = count.map { settings.isOne ? settings.seeds : 1..<UInt64($0) + 1 } ?? settings.seeds
        Emergency.watch(subject)
        defer { Emergency.rest() }
        let start = DispatchTime.now()
        let before = peakKiB()
        var tried = 0
        for seed in seeds {
            if let seconds = settings.seconds, tried % 16 == 0, elapsed(since: start) > seconds { break }
            guard holds(subject, seed, property) else { return }
            tried += 1
        }
        let growth = peakKiB() - before
        if growth > mostKiB { Issue.record("\(subject): grew by \(growth) KiB over \(tried) inputs") }
        if settings.seconds != nil {
            print("fuzz: \(subject): \(tried) inputs in \(Int(elapsed(since: start))) s, grew by \(growth) KiB")
        }
    }

    private static func holds(
        _ subject: String, _ seed: UInt64, _ property: (inout FuzzInput) throws -> Verdict
    ) -> Bool {
        Emergency.begin(seed)
        let before = processorSeconds()
        var input = FuzzInput(seed: seed)
        let verdict: Verdict
        do {
            verdict = try property(&input)
        } catch {
            verdict = .broken("threw \(error)")
        }
        let took = processorSeconds() - before
        switch verdict {
        case .held where took <= longestSeconds: return true
        case .held: Issue.record("\(subject), seed \(seed): took \(took) s")
        case .broken(let what): Issue.record("\(subject), seed \(seed): \(what)")
        }
        return false
    }

    /// What the variables say.
    private struct Settings {
        let seeds: Range<UInt64>
        let seconds: Double?
        /// One input alone.
        let isOne: Bool

        init() {
            let environment = ProcessInfo.processInfo.environment
            let number = { (name: String) in environment["SUBSCRIBER_SYNC_FUZZ_" + name].flatMap { UInt64($0) } }
            seconds = number("SECONDS").map { Double($0) }
            isOne = number("SEED") != nil
            if let one = number("SEED") {
                seeds = one..<one + 1
            } else {
                let first = number("FIRST") ?? 1
                seeds = first..<(seconds == nil ? first + UInt64(FuzzRun.shortRound) : .max)
            }
        }
    }

    private static func elapsed(since start: DispatchTime) -> Double {
        Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
    }

    /// `RUSAGE_THREAD`, which the module of the C library leaves out.
    private static let ofThisThread: __rusage_who_t = 1

    private static func processorSeconds() -> Double {
        var usage = rusage()
        getrusage(ofThisThread, &usage)
        let times = [usage.ru_utime, usage.ru_stime]
        return times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    /// The most memory that the process ever held.
    private static func peakKiB() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Int(usage.ru_maxrss)
    }

    fileprivate static var patience: Double { hangSeconds }
}

/// Says what was running when the process can't go on: a crash, or an input without an end.
private enum Emergency {
    /// Written by the one thread that fuzzes, read by a handler of signals: no lock is possible there.
    nonisolated(unsafe) private static let seed = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    nonisolated(unsafe) private static let name = UnsafeMutablePointer<CChar>.allocate(capacity: 128)
    private static let began = Mutex<DispatchTime?>(nil)
    private static let signals = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT]

    /// Once for the process.
    private static let isPrepared: Bool = {
        for signal in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { signal in Emergency.tell(signal) }
            action.sa_flags = Int32(SA_ONSTACK) | Int32(bitPattern: UInt32(SA_RESETHAND))
            sigaction(signal, &action, nil)
        }
        Thread.detachNewThread {
            while true {
                Thread.sleep(forTimeInterval: 1)
                guard let start = began.withLock({ $0 }) else { continue }
                let seconds = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
                if seconds > FuzzRun.patience { abort() }
            }
        }
        return true
    }()

    static func watch(_ subject: String) {
        _ = isPrepared
        // The stack of this thread may be what has run out.
        var stack = stack_t()
        stack.ss_size = 65_536
        stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: stack.ss_size, alignment: 16)
        sigaltstack(&stack, nil)
        let bytes = subject.utf8.prefix(127).map { CChar(bitPattern: $0) } + [0]
        name.update(from: bytes, count: bytes.count)
    }

    static func begin(_ number: UInt64) {
        seed.pointee = number
        began.withLock { $0 = .now() }
    }

    static func rest() { began.withLock { $0 = nil } }

    /// Only what is allowed in a handler: no memory, no lock.
    private static func tell(_ signal: Int32) {
        say("\nfuzz: ended by a crash or after a hang: ")
        write(2, name, strlen(name))
        say(", seed ")
        var divisor: UInt64 = 1
        while seed.pointee / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            var digit = UInt8(48 + seed.pointee / divisor % 10)
            write(2, &digit, 1)
            divisor /= 10
        }
        say("\n")
        raise(signal)
    }

    private static func say(_ text: StaticString) { write(2, text.utf8Start, text.utf8CodeUnitCount) }
}

extension [UInt8] {
    /// As much of an input as can be read in a report.
    var shown: String { String(decoding: prefix(400), as: UTF8.self).debugDescription + (count > 400 ? "…" : "") }

    /// Whether the text stands in it, byte by byte.
    func holds(_ text: String) -> Bool {
        let wanted = [UInt8](text.utf8)
        guard let first = wanted.first, count >= wanted.count else { return false }
        return withUnsafeBufferPointer { whole in
            (0...whole.count - wanted.count).contains { start in
                whole[start] == first && whole[start..<start + wanted.count].elementsEqual(wanted)
            }
        }
    }
}

extension String {
    func holds(_ text: String) -> Bool { Array(utf8).holds(text) }
}
