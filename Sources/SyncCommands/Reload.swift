import Logging
import ServiceLifecycle
import SyncAgent
import SyncCore
import UnixSignals

/// What SIGHUP does: the settings are read again, and what can change while an agent runs does.
///
/// The environment of a process doesn't change, so it is the file of settings, and the files that `…_FILE` variables
/// name, that are read again. Settings that are wrong change nothing.
struct Reload: Service {
    let options: SettingsOptions
    let first: CommandContext
    let threshold: LogThreshold
    let agent: Agent
    let logger: Logger

    /// The keys that are taken; all others need a restart.
    static let taken: Set<String> = [
        SettingTable.concurrency.definition.path, SettingTable.rate.definition.path,
        SettingTable.newSubscribers.definition.path, SettingTable.changedShare.definition.path,
        SettingTable.equalRejections.definition.path, SettingTable.logLevel.definition.path,
        SettingTable.logRetention.definition.path, SettingTable.logMaxRows.definition.path,
    ]

    func run() async throws {
        // What runs; and what it was begun with, since what needs a restart still runs so.
        var current = first
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do throws(Failure) {
                let next = try CommandContext(options)
                take(next, after: current)
                current = next
            } catch {
                logger.error(
                    "settings not reloaded; the ones before hold",
                    metadata: ["error": "\(error.message)", "hint": "\(error.hint ?? "none")"])
            }
        }
    }

    private func take(_ next: CommandContext, after current: CommandContext) {
        let changed = next.keysChanged(since: current).filter(Reload.taken.contains)
        let waiting = next.keysChanged(since: first).filter { !Reload.taken.contains($0) }
        threshold.change(to: next.settings.log.level)
        agent.tune(next.settings.tuning)
        var metadata: Logger.Metadata = ["taken": "\(changed.isEmpty ? "none" : changed.joined(separator: ", "))"]
        if !waiting.isEmpty { metadata["needs_restart"] = "\(waiting.joined(separator: ", "))" }
        // A notice is written at the usual levels, whichever of them was just left.
        logger.notice("settings reloaded", metadata: metadata)
    }
}

extension CommandContext {
    /// The keys whose values are others than in an earlier reading.
    ///
    /// What is secret isn't compared by what is shown of it.
    func keysChanged(since earlier: CommandContext) -> [String] {
        let before = Dictionary(earlier.effective.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        let (old, new) = (earlier.settings, settings)
        let secrets = [
            (SettingTable.databaseURL.definition, old.database.url != new.database.url),
            (SettingTable.databaseListenURL.definition, old.database.listenURL != new.database.listenURL),
            (SettingTable.apiToken.definition, old.signalwire.apiToken != new.signalwire.apiToken),
            (SettingTable.operationsToken.definition, old.operations.token != new.operations.token),
            (SettingTable.webhookSecret.definition, old.webhook.secrets != new.webhook.secrets),
        ]
        let others = Set(secrets.filter(\.1).map(\.0.path))
        return effective.filter { $0.value != before[$0.key] || others.contains($0.key) }.map(\.key)
    }
}

extension Settings {
    /// The part that a running agent takes.
    fileprivate var tuning: AgentTuning {
        AgentTuning(
            pace: DispatcherTuning(
                concurrency: delivery.concurrency, rate: delivery.rate, equalRejections: limits.equalRejections),
            newSubscriberLimit: limits.newSubscribers, changedSharePercent: limits.changedSharePercent,
            logRetention: log.retention, logRows: log.maxRows)
    }
}
