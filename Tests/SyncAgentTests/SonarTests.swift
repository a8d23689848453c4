import SyncAgent
import SyncStore
import Testing

@Suite("Sonar") struct SonarTests {
    private func reason(_ sonar: Sonar) -> String? {
        switch sonar.wakeUp {
        case .notify: nil
        case .polling(let reason): reason
        }
    }

    @Test("polls until LISTEN is accepted, and trusts it while each knock comes back")
    func hearsItself() {
        var sonar = Sonar(agent: "a", silence: nil)
        #expect(reason(sonar)?.contains("not up yet") == true)
        sonar.connected()
        #expect(sonar.wakeUp == .notify)
        let canary = sonar.nextCanary()
        #expect(reason(sonar)?.contains("hears nothing") == true)
        let knocks = [sonar.hears("canary:b:1"), sonar.hears("")]
        #expect(knocks == [.fleetChange, .change])
        #expect(sonar.wakeUp != .notify, "another's canary is not ours")
        let isOwn = sonar.hears(canary)
        #expect(isOwn == .canary && sonar.wakeUp == .notify)
    }

    @Test("names a pooler as soon as it is found, whatever was before, and what helps")
    func pooled() {
        for before in [nil, true, false] {
            var sonar = Sonar(agent: "a", silence: nil)
            if before == true { sonar.connected() }
            if before == false { sonar.lost("gone") }
            sonar.foundPooler()
            #expect(reason(sonar)?.contains("goes through a pooler") == true)
            #expect(reason(sonar)?.contains("DATABASE_LISTEN_URL") == true)
            _ = sonar.nextCanary()
            #expect(reason(sonar)?.contains("goes through a pooler") == true)
            sonar.connected()
            #expect(sonar.wakeUp == .notify)
            sonar.foundPooler()
            sonar.lost("gone")
            #expect(reason(sonar)?.contains("down: gone") == true)
        }
    }

    @Test("tells of agents that come and go, once each, whatever their names look like")
    func hearsOthers() {
        var sonar = Sonar(agent: "a", silence: nil)
        let heard = [
            "canary:b:1", "canary:b:2", "canary:a:1", "canary:host:1-2:7", "canary:host:1-2:8", "left:b", "canary:b:9",
            "left:stranger", "canary:", "canary:c", "canary:a:x", "", "something",
        ].map { sonar.hears($0) }
        #expect(
            heard == [
                .fleetChange, .canary, .canary, .fleetChange, .canary, .fleetChange, .fleetChange, .fleetChange,
                .fleetChange, .canary, .canary, .change, .change,
            ])
        for number in 0..<5000 { _ = sonar.hears("canary:n\(number):1") }
        let afterwards = sonar.hears("canary:n4999:2")
        #expect(afterwards == .canary)
    }

    @Test("says first that nothing knocks, where that is known")
    func silence() {
        var sonar = Sonar(agent: "a", silence: "off")
        sonar.connected()
        #expect(sonar.wakeUp == .polling("off"))
    }
}
