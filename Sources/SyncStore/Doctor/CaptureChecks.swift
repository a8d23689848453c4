import SyncCore

extension CaptureHealth {
    /// Whether every change is told of.
    public var check: Check {
        switch self {
        case .intact: return .ok("triggers", "The triggers are there, switched on, and as they were made.")
        case .broken(let what, let hint):
            let remedy = hint.contains("watch()") ? "SELECT subscriber_sync.watch();" : "subscriber-sync migrate"
            return .fail("triggers", what, hint: hint, remedy: remedy)
        }
    }
}

extension CaptureInstaller.Work {
    /// Whether `migrate` would leave everything as it is.
    public var check: Check {
        guard statements.isEmpty else {
            let finding =
                isRemoval
                ? "The table is polled, and triggers of before are still on it."
                : "The triggers are not those that the settings ask for: \(statements.count) statements are to be run."
            return .warn(
                "capture", finding, hint: "`subscriber-sync migrate --print` shows what would change.",
                remedy: "subscriber-sync migrate")
        }
        guard notes.isEmpty else {
            return .warn(
                "capture", notes.joined(separator: " "),
                hint: "\"Profiles that span tables\" in the README says what can be done.")
        }
        return .ok(
            "capture", isRemoval ? "Nothing of ours is on the table; it is polled." : "Capture is as the settings say.")
    }
}
