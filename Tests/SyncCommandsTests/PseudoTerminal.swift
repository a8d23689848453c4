import Foundation
import Glibc

/// A terminal whose other side is held by the test.
final class PseudoTerminal: Sendable {
    private let controller: Int32
    private let terminal: Int32

    /// The machine has none to give.
    struct NoTerminal: Error {}

    /// TIOCSPTLCK and TIOCGPTN of ioctl_tty(2), which the C library keeps behind functions that Swift doesn't see.
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    init(columns: UInt16 = 80, rows: UInt16 = 24) throws {
        controller = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var lock: Int32 = 0
        var number: UInt32 = 0
        guard controller >= 0, ioctl(controller, PseudoTerminal.setLock, &lock) == 0,
            ioctl(controller, PseudoTerminal.getNumber, &number) == 0
        else { throw NoTerminal() }
        terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        guard terminal >= 0 else { throw NoTerminal() }
        resize(columns: columns, rows: rows)
        _ = fcntl(controller, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(terminal)
        close(controller)
    }

    func resize(columns: UInt16, rows: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(terminal, UInt(TIOCSWINSZ), &size)
    }

    /// Whether keys are shown and waited for by the line, as a shell leaves it.
    var isCooked: Bool {
        var mode = termios()
        tcgetattr(terminal, &mode)
        return mode.c_lflag & tcflag_t(ECHO) != 0 && mode.c_lflag & tcflag_t(ICANON) != 0
    }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(controller, bytes, bytes.count)
    }

    /// What was written since the last time.
    func read() -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(controller, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += buffer.prefix(count)
        }
    }

    /// Starts a program whose terminal this is, so that Ctrl-C reaches it.
    func start(_ program: String, _ arguments: [String], _ environment: [String: String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setsid")
        process.arguments = ["--ctty", "--wait", program] + arguments
        process.environment = environment
        let handle = FileHandle(fileDescriptor: terminal, closeOnDealloc: false)
        process.standardInput = handle
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        return process
    }
}
