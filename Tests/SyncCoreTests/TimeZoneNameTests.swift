import Foundation
import Testing

@testable import SyncCore

@Suite("A time zone's name")
struct TimeZoneNameTests {
    @Test("that any source has is translated into its zone, however its letters and blanks are written")
    func everyName() {
        for (name, zone) in TimeZoneName.named {
            let spellings = [name, name.uppercased(), name.lowercased(), name.replacing("_", with: " ")]
            for spelling in spellings + ["(GMT-05:00) \(name)", "(UTC) \(name)"] {
                #expect(TimeZoneName.canonical(spelling) == zone, "\(spelling)")
            }
        }
    }

    @Test("comes from tables of the size that their sources have, and leads to a zone of the tz database")
    func tables() {
        let zones = Set(TimeZoneName.named.map(\.zone))
        #expect(TimeZoneName.named.count == 457 + 140 + 151 + 142)
        #expect(zones.count == 457)
        for zone in zones { #expect(TimeZoneName.canonical(zone) == zone) }
    }

    @Test("means one zone only, whoever uses it")
    func noContradiction() {
        let byName = Dictionary(grouping: TimeZoneName.named) { $0.name.lowercased().replacing(" ", with: "_") }
        for (name, entries) in byName { #expect(Set(entries.map(\.zone)).count == 1, "\(name)") }
    }

    /// The operating system's data is another reading of the same facts. It may lack former or quite new names.
    @Test("that is a former one has the same clock as its zone, as far as this machine knows them")
    func sameClock() throws {
        var compared = 0
        for (name, zone) in TimeZoneName.named where name.contains("/") && name != zone {
            guard let former = TimeZone(identifier: name), let present = TimeZone(identifier: zone) else { continue }
            compared += 1
            for year in stride(from: 1.0, through: 25, by: 0.5) {
                let instant = Date(timeIntervalSince1970: 946_684_800 + year * 31_557_600)
                #expect(former.secondsFromGMT(for: instant) == present.secondsFromGMT(for: instant), "\(name)")
            }
        }
        if TimeZone(identifier: "US/Eastern") != nil { #expect(compared > 50) }
    }

    @Test(
        "that people write in tables is understood",
        arguments: [
            ("Eastern Time (US & Canada)", "America/New_York"), ("Kyiv", "Europe/Kyiv"), ("Astana", "Asia/Almaty"),
            ("Bern", "Europe/Zurich"), ("Canberra", "Australia/Melbourne"), ("Nuku'alofa", "Pacific/Tongatapu"),
            ("W. Europe Standard Time", "Europe/Berlin"), ("India Standard Time", "Asia/Kolkata"),
            ("GMT Standard Time", "Europe/London"), ("Dateline Standard Time", "Etc/GMT+12"), ("UTC-11", "Etc/GMT+11"),
            ("US/Eastern", "America/New_York"), ("Asia/Calcutta", "Asia/Kolkata"), ("Europe/Kiev", "Europe/Kyiv"),
            ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"), ("GB", "Europe/London"),
            ("Iceland", "Atlantic/Reykjavik"), ("Europe/Oslo", "Europe/Oslo"), ("Europe/Vatican", "Europe/Vatican"),
            ("america/new_york", "America/New_York"), ("America/New York", "America/New_York"), ("UTC", "Etc/UTC"),
            ("Z" + "ulu", "Etc/UTC"), ("EST5EDT", "EST5EDT"), ("(UTC+01:00) Amsterdam", "Europe/Amsterdam"),
            ("Etc/GMT+2", "Etc/GMT+2"), ("GMT0", "Etc/GMT"),
        ])
    func known(text: String, zone: String) { #expect(TimeZoneName.canonical(text) == zone) }

    @Test(
        "that is an offset of whole hours is the zone whose sign is the other way round",
        arguments: [
            ("UTC+02:00", "Etc/GMT-2"), ("UTC-02:00", "Etc/GMT+2"), ("GMT+2", "Etc/GMT-2"), ("gmt -5", "Etc/GMT+5"),
            ("UTC +14", "Etc/GMT-14"), ("UTC-12:00", "Etc/GMT+12"), ("UTC−3", "Etc/GMT+3"), ("+02:00", "Etc/GMT-2"),
            ("-0500", "Etc/GMT+5"), ("UTC+0", "Etc/UTC"), ("UTC+00:00", "Etc/UTC"), ("-00:00", "Etc/UTC"),
            ("UTC+0900", "Etc/GMT-9"), ("+2:00", "Etc/GMT-2"),
        ])
    func offsets(text: String, zone: String) { #expect(TimeZoneName.canonical(text) == zone) }

    @Test(
        "that says of no zone which it is, is none",
        arguments: [
            "", " ", "UTC+05:30", "UTC+5:45", "GMT+0530", "UTC+15", "UTC-13", "UTC+", "UTC+-2", "UTC+2h", "+5", "5",
            "2:00",
            "PST", "CEST", "Factory", "localtime", "Mars/Olympus", "Europe", "Europe/", "(GMT+01:00)", "(GMT+01:00) ",
            "(GMT", "(PST) Arizona", "Planted/Zone", "UTC+٢", "Eastern Time", String(repeating: "a", count: 5000),
        ])
    func unknown(text: String) { #expect(TimeZoneName.canonical(text) == nil) }

    @Test("that nobody knows is counted with its users, the most frequent first, and a long one is cut")
    func census() {
        let long = String(repeating: "x", count: 200)
        let census = TimeZoneCensus(
            counts: [
                ("Europe/Berlin", 900), ("PST", 7), (" PST ", 2), ("Mars", 5), ("", 3), (long, 1), ("Arizona", 4),
            ],
            isComplete: true)
        #expect(census.unknown.map(\.value) == ["PST", "Mars", String(long.prefix(64))])
        #expect(census.unknown.map(\.users) == [9, 5, 1])
        #expect(census.users == 15 && census.values == 3 && census.isComplete)
        let many = TimeZoneCensus(counts: (0..<100).map { ("x\($0)", 1) }, isComplete: false)
        #expect(many.unknown.count == 20 && many.values == 100 && !many.isComplete)
    }
}
