import SyncCore

/// What can be said of the mapping without asking anybody.
enum MappingChecks {
    /// SignalWire's API page lists `region` among the fields of the profile; since 2026 it routes calls.
    static func region(_ fields: [ProfileField: String]) -> Check {
        guard let column = fields[.region] else { return .ok("region", "The field region is not mapped.") }
        return .warn(
            "region",
            "The field region is mapped (to \(column)); SignalWire takes it for where calls are routed, and "
                + "accepts only us-central.",
            hint: "Take it out of the mapping, unless that is what the column holds.",
            remedy: "remove source.fields.region")
    }
}
