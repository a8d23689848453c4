import SyncCore
import SyncStore

/// What the whole table says of who is who, found before anybody is sent.
///
/// Keys of users are named, and values of the time zone's column, which are no one's secret; references never.
extension ReferenceDuplicates {
    var check: Check {
        guard references > 0 else { return .ok("duplicates", "No two users in scope have one reference.") }
        let pairs = samples.map { "\($0.first.text) and \($0.second.text)" }.joined(separator: ", ")
        return .warn(
            "duplicates",
            "\(counted(references, "reference")) \(references == 1 ? "is" : "are") had by \(counted(users, "user")): "
                + "\(pairs)\(samples.count < references ? ", …" : "").",
            hint: "Only the first of each can be a subscriber, the others are held as duplicate_reference. Make the "
                + "references unique, compared trimmed and without case.")
    }
}

extension MissingReferences {
    var check: Check {
        let users = null + blank + unreadable
        guard users > 0 else { return .ok("references", "Every user in scope has a reference.") }
        let kinds = [(null, "null"), (blank, "blank"), (unreadable, "with a control character")]
            .filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return .warn(
            "references",
            "\(counted(users, "user")) in scope \(users == 1 ? "has" : "have") no reference (\(kinds)): "
                + samples.map(\.text).joined(separator: ", ") + (samples.count < users ? ", …." : "."),
            hint: "They are held as missing_reference. Fill the column, or leave them out by source.where.")
    }
}

extension TimeZoneCensus {
    /// - Parameter choice: what becomes of such a value.
    func check(_ choice: ValueRules.InvalidTimeZone) -> Check {
        guard users > 0 else { return .ok("time_zones", "Every time zone in scope is known, or can be translated.") }
        let shown = unknown.map { "\"\($0.value)\" (\($0.users))" }.joined(separator: ", ")
        let more = values > unknown.count || !isComplete ? ", …" : ""
        return .warn(
            "time_zones",
            "\(counted(users, "user")) \(users == 1 ? "has" : "have") a time zone that nobody knows: \(shown)\(more).",
            hint: "Names of the tz database are meant, such as Europe/Berlin. \(TimeZoneCensus.consequence(choice))")
    }

    private static func consequence(_ choice: ValueRules.InvalidTimeZone) -> String {
        switch choice {
        case .omit: "Until then the field is left out (values.invalid_time_zone: omit)."
        case .hold: "Until then these users are held (values.invalid_time_zone: hold)."
        case .send: "They are sent as they are, and SignalWire judges (values.invalid_time_zone: send)."
        }
    }
}
