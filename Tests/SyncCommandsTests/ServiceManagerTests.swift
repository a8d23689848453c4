import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import SyncAgent
@testable import SyncCommands

@Suite("The service manager") struct ServiceManagerTests {
    /// The socket of systemd, held by the test.
    final class Manager: Sendable {
        let path = "/tmp/notify-\(UInt32.random(in: .min ... .max)).sock"
        private let descriptor: Int32

        init() {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }

        deinit {
            close(descriptor)
            unlink(path)
        }

        /// The lines that came since the last time.
        func heard() -> [String] {
            var lines: [String] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return lines }
                lines += String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: "\n").map(String.init)
            }
        }
    }

    @Test("hears that the agent is ready, alive again and again, and stopping")
    func hearsAll() async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            let manager = Manager()
            let agent = try CommandRun.Running.start(
                ["run"],
                stage.environment.merging(["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"]) { $1 })
            var heard: [String] = []
            await eventually(within: .seconds(20), "three signs of life") {
                heard += manager.heard()
                return heard.filter { $0 == "WATCHDOG=1" }.count >= 3
            }
            #expect(heard.first == "READY=1")
            #expect(heard.contains { $0.hasPrefix("STATUS=0 in flight") })
            agent.send(SIGTERM)
            #expect(try await agent.finish().status == 0)
            #expect(manager.heard().contains("STOPPING=1"))
        }
    }

    @Test("hears nothing where the agent doesn't come up")
    func hearsNothing() async throws {
        try await Stage.run { stage in
            let manager = Manager()
            let run = try await stage.command("run", changing: ["NOTIFY_SOCKET": manager.path])
            #expect(run.status == 78 && manager.heard() == [])
        }
    }

    @Test("gets no word for the watchdog once the loop has stopped turning")
    func watchdog() {
        var reading = AgentPulse.Reading()
        let now = reading.turnedAt
        #expect(Reporting.words(reading, now: now, isWatched: true).first == .watchdog)
        #expect(!Reporting.words(reading, now: now, isWatched: false).contains(.watchdog))
        #expect(!Reporting.words(reading, now: now + .seconds(121), isWatched: true).contains(.watchdog))
        reading.isStopping = true
        #expect(Reporting.words(reading, now: now, isWatched: true) == [.watchdog])
    }

    @Test("is told of only where it asks, and its watchdog only where it means us")
    func isAskedFor() {
        #expect(ServiceManager([:]) == nil && ServiceManager(["NOTIFY_SOCKET": "relative"]) == nil)
        #expect(ServiceManager(["NOTIFY_SOCKET": "@abstract"])?.patience == nil)
        let watched = ["NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "3000000"]
        #expect(ServiceManager(watched)?.patience == .seconds(3))
        #expect(ServiceManager(watched.merging(["WATCHDOG_PID": "7"]) { $1 }, pid: 7)?.patience == .seconds(3))
        #expect(ServiceManager(watched.merging(["WATCHDOG_PID": "8"]) { $1 }, pid: 7)?.patience == nil)
        // Nobody listens there: nothing happens.
        ServiceManager(["NOTIFY_SOCKET": "/nowhere/at/all"])?.tell([.ready])
        ServiceManager(["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 300)])?.tell([.ready])
    }
}
