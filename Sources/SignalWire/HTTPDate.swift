/// A point in time as HTTP writes it (RFC 9110, 5.6.7), read into unix seconds.
///
/// All three forms: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and
/// `Sun Nov  6 08:49:37 1994`. The name of the day is not checked against the date.
struct HTTPDate: Sendable, Hashable {
    let unixSeconds: Int64

    /// - Parameter now: unix seconds; decides the century of a year with two digits.
    init?(_ text: String, now: Int64) {
        let words = text.split { $0 == " " || $0 == "-" }.map(String.init)
        let parts: [String]
        if words.count == 6, words[0].hasSuffix(","), words[5] == "GMT" {
            parts = Array(words[1...4])
        } else if words.count == 5, !words[0].hasSuffix(",") {
            parts = [words[2], words[1], words[4], words[3]]
        } else {
            return nil
        }
        guard let month = Self.months.firstIndex(of: parts[1]), let time = Self.secondsOfDay(parts[3]),
            let day = Self.number(parts[0], digits: 1...2), let year = Self.year(parts[2], now: now),
            (1...Self.days(inMonth: month + 1, of: year)).contains(day)
        else { return nil }
        unixSeconds = Self.daysSinceEpoch(year: year, month: month + 1, day: day) * 86_400 + time
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func number(_ text: some StringProtocol, digits: ClosedRange<Int>) -> Int64? {
        guard digits.contains(text.utf8.count), text.utf8.allSatisfy(\.isDigit) else { return nil }
        return Int64(text)
    }

    /// `08:49:37`; the sixtieth second is a leap second and counts as it stands.
    private static func secondsOfDay(_ text: String) -> Int64? {
        let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { number($0, digits: 2...2) }
        guard numbers.count == 3, let hour = numbers[0], let minute = numbers[1], let second = numbers[2],
            hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// Four digits as they are. Of the years that two digits can mean, the one within 50 years from now.
    private static func year(_ text: String, now: Int64) -> Int64? {
        if let year = number(text, digits: 4...4) { return year }
        guard let short = number(text, digits: 2...2) else { return nil }
        let current = 1970 + now / 31_556_952
        let year = current / 100 * 100 + short
        return year > current + 50 ? year - 100 : year <= current - 50 ? year + 100 : year
    }

    private static func days(inMonth month: Int, of year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Counts from March, so that the leap day is the last of its year and needs no case of its own.
    private static func daysSinceEpoch(year: Int64, month: Int, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let monthsSinceMarch = Int64((month + 9) % 12)
        let dayOfYear = (153 * monthsSinceMarch + 2) / 5 + day - 1
        let daysBeforeYear = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400
        return daysBeforeYear + dayOfYear - 719_468
    }
}
