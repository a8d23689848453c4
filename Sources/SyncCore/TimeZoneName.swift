/// Turns what a users table calls a time zone into the name that the tz database has for it.
///
/// SignalWire's `time_zone` is such a name (`America/New_York`), but tables hold what a form offered: the names of Rails
/// or of Windows, former names, offsets. All of them are data in this module, so the answer is the same on every
/// machine, whatever it knows of time zones.
public enum TimeZoneName {
    /// The release of the tz database whose names are known here.
    ///
    /// Checked against `tzdata.zi` of that release; the names are those of every release since 2025b.
    public static let release = "2026f"

    /// The zone's present name in the tz database; `nil` where nobody can say which zone is meant.
    ///
    /// Case and the difference between a blank and `_` don't matter. An abbreviation such as `PST` is no zone: it says
    /// neither which summer time holds nor, often, which country is meant.
    public static func canonical(_ text: String) -> String? {
        guard text.utf8.count <= longest else { return nil }
        let key = folded(text)
        return zoneOfName[key] ?? zoneBehindOffset(key) ?? zoneOfOffset(key)
    }

    /// No name that is known, with an offset in front, comes near.
    private static let longest = 100

    /// Rails and Windows show zones as `(GMT-05:00) Eastern Time (US & Canada)`; the offset is that of winter.
    private static func zoneBehindOffset(_ key: String) -> String? {
        guard key.hasPrefix("(gmt") || key.hasPrefix("(utc"), let end = key.firstIndex(of: ")") else { return nil }
        return zoneOfName[String(key[key.index(after: end)...].drop { $0 == "_" })]
    }

    private static func folded(_ text: some StringProtocol) -> String {
        String(
            decoding: text.utf8.map { byte in
                switch byte {
                case UInt8(ascii: " "): UInt8(ascii: "_")
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
                case _: byte
                }
            }, as: UTF8.self)
    }

    /// Every name that is known, folded, with its zone. Where two sources have a name, the first one decides.
    private static let zoneOfName: [String: String] = {
        var zones: [String: String] = [:]
        for (name, zone) in named { if zones[folded(name)] == nil { zones[folded(name)] = zone } }
        return zones
    }()

    /// Every name as its source writes it, with its zone.
    static let named: [(name: String, zone: String)] = {
        let own = rows(zones, separator: " ").map { area, place in
            let name = area == "-" ? place : "\(area)/\(place)"
            return (name: name, zone: name)
        }
        let others = [(links, " "), (rails, ", "), (windows, ", ")].flatMap { table, separator in
            rows(table, separator: separator).map { zone, name in (name: name, zone: zone) }
        }
        return own + others
    }()

    /// What stands in a table: each item with the head of its line.
    private static func rows(_ table: String, separator: String) -> [(head: String, item: String)] {
        table.split(separator: "\n").flatMap { line in
            let parts = line.split(separator: ": ", maxSplits: 1)
            guard parts.count == 2 else { return [(head: String, item: String)]() }
            return parts[1].split(separator: separator).map { (head: String(parts[0]), item: String($0)) }
        }
    }
}

extension TimeZoneName {
    /// The zone of an offset such as `UTC+02:00`, `GMT-5` or `+0200`.
    ///
    /// Only whole hours have one, and POSIX's sign is the other way round: two hours east of Greenwich is `Etc/GMT-2`.
    private static func zoneOfOffset(_ key: String) -> String? {
        let isNamed = key.hasPrefix("utc") || key.hasPrefix("gmt")
        let offset = key.dropFirst(isNamed ? 3 : 0).drop { $0 == "_" }
        guard let sign = offset.first, let hours = wholeHours(offset.dropFirst(), isNamed: isNamed) else { return nil }
        switch sign {
        case "+" where hours == 0, "-" where hours == 0, "−" where hours == 0: return "Etc/UTC"
        case "+": return hours <= 14 ? "Etc/GMT-\(hours)" : nil
        case "-", "−": return hours <= 12 ? "Etc/GMT+\(hours)" : nil
        case _: return nil
        }
    }

    /// `2`, `02`, `0200` or `02:00` as a number. Without UTC or GMT in front, a number that short may be anything.
    private static func wholeHours(_ text: Substring, isNamed: Bool) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ $0.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }) else {
            return nil
        }
        switch parts.map(\.count) {
        case [1], [2]: return isNamed ? Int(text) : nil
        case [4]: return text.hasSuffix("00") ? Int(text.prefix(2)) : nil
        case [1, 2], [2, 2]: return parts[1] == "00" ? Int(parts[0]) : nil
        case _: return nil
        }
    }
}
