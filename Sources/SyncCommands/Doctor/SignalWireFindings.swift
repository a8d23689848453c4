import SignalWire
import SyncCore

/// What one read of SignalWire's list proves: the name, the way, the credentials, the scope, the clock.
struct SignalWireFindings: Sendable {
    let answer: ProbeAnswer
    let space: Space
    let tokenTTL: Duration
    /// This machine's clock when it was asked.
    let unixSeconds: Double

    var checks: [Check] {
        switch answer {
        case .passed(_, _, let took, let time):
            return [reached, secured, passed(took), clock(time)]
        case .refused(let answer):
            return refused(answer)
        }
    }

    private var reached: Check { .ok("signalwire", "\(space) can be reached.") }

    private var secured: Check {
        space.isLoopback
            ? .ok("signalwire_tls", "It doesn't leave this machine.")
            : .ok("signalwire_tls", "The certificate is trusted.")
    }

    private func passed(_ took: Duration) -> Check {
        .ok(
            "signalwire_account",
            "The project and its token are accepted, with the scope for subscribers (\(Int(took / .milliseconds(1))) ms)."
        )
    }

    private func refused(_ answer: PushAnswer) -> [Check] {
        switch answer.outcome {
        case .accepted: [reached, secured]
        case .unavailable(let problem, let reach): unavailable(problem, reach, status: answer.httpStatus)
        case .throttled(_, let problem):
            [
                reached, secured,
                .warn("signalwire_account", sentence(problem), hint: "SignalWire asks for patience; try again later."),
                unseenClock,
            ]
        case .account(let problem): [reached, secured, account(problem, status: answer.httpStatus), unseenClock]
        case .rejected(let problem):
            [
                reached, secured,
                .fail(
                    "signalwire_account", sentence(problem),
                    hint:
                        "Look whether SIGNALWIRE_SPACE names your space: what answers there has no list of subscribers.",
                    remedy: "SIGNALWIRE_SPACE=NAME"), unseenClock,
            ]
        }
    }

    private func unavailable(_ problem: Problem, _ reach: Reach, status: Int?) -> [Check] {
        let skipped = ["signalwire_tls", "signalwire_account", "signalwire_clock"].map {
            Check.skipped($0, "Not looked at, because of signalwire.")
        }
        switch problem.code {
        case "tls_failure":
            return [
                reached,
                .fail(
                    "signalwire_tls", sentence(problem),
                    hint: "Install the system's certificates (ca-certificates), or let no proxy open the connection; "
                        + "SSL_CERT_FILE can name another bundle.", remedy: "apt-get install ca-certificates"),
            ] + skipped.dropFirst()
        case "dns_failure":
            return [
                .fail(
                    "signalwire", sentence(problem),
                    hint: "SIGNALWIRE_SPACE is the name in NAME.signalwire.com; otherwise look at this machine's DNS.",
                    remedy: "SIGNALWIRE_SPACE=NAME")
            ] + skipped
        case _ where status == nil:
            return [
                .fail(
                    "signalwire", sentence(problem),
                    hint: "Look whether a firewall keeps this machine from \(space), or a proxy is needed.")
            ] + skipped
        case _:
            return [
                reached, secured,
                .warn("signalwire_account", sentence(problem), hint: "SignalWire is in trouble; try again later."),
                unseenClock,
            ]
        }
    }

    /// A missing scope is 401 on one page of SignalWire's, and 403 on another.
    private func account(_ problem: Problem, status: Int?) -> Check {
        switch problem.code {
        case "insufficient_balance", "account_limit_exceeded", "not_allowed_on_subscription_plan",
            "feature_not_available":
            return .fail(
                "signalwire_account", sentence(problem),
                hint: "Look at the balance and the plan in SignalWire's dashboard.")
        case _:
            let what = status == 403 ? "the scope of the API token" : "the project, the API token or its scope"
            return .fail(
                "signalwire_account",
                "SignalWire refuses \(what) (\(status.map { "HTTP \($0), " } ?? "")\(problem.code)).",
                hint:
                    "In the dashboard, under API, give the token one of the scopes Voice, Messaging, Fax or Video, and "
                    + "compare project and space.",
                remedy: "SIGNALWIRE_PROJECT_ID=… SIGNALWIRE_API_TOKEN=…")
        }
    }

    private var unseenClock: Check { .skipped("signalwire_clock", "Not looked at, because of signalwire_account.") }

    /// `expire_at` is made of our clock and judged by theirs. The header has whole seconds.
    private func clock(_ time: Int64?) -> Check {
        guard let time else { return .skipped("signalwire_clock", "SignalWire's answer has no date.") }
        let ahead = unixSeconds - Double(time)
        let off = abs(ahead)
        let finding =
            "This machine's clock is \(spoken(seconds: off)) \(ahead > 0 ? "ahead of" : "behind") SignalWire's."
        let hint =
            "Keep this machine's time by NTP: tokens are asked for until a time that SignalWire compares with its own."
        if ahead < 0, off >= Double(tokenTTL.components.seconds) - 5 {
            return .fail(
                "signalwire_clock", finding + " Every token would have expired already, so every call is refused.",
                hint: hint, remedy: "timedatectl set-ntp true")
        }
        guard off > 30 else { return .ok("signalwire_clock", "This machine's clock and SignalWire's agree.") }
        return .warn("signalwire_clock", finding, hint: hint, remedy: "timedatectl set-ntp true")
    }

    private func sentence(_ problem: Problem) -> String { "\(problem.message) (\(problem.code))" }
}
