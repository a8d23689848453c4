/// What must hold between settings, each of which is right by itself.
enum SettingsRules {
    /// How much longer than the deadline of a call a lease must be: the answer is still to be written.
    static let leaseMargin = Duration.seconds(5)

    static let noReference = SettingsProblem(
        "source.reference is not set.",
        hint: "Name the column whose value the application passes to SignalWire as reference; another one would "
            + "make a second subscriber of each user.")

    static let noField = SettingsProblem(
        "No field is mapped: source.fields is empty.",
        hint: "Name a column for at least one field, such as source.fields.first_name.")

    /// The problem with two durations, if there is one.
    static func problem(lease: Duration, timeout: Duration, origin: SettingOrigin) -> SettingsProblem? {
        guard lease < timeout + leaseMargin else { return nil }
        return SettingsProblem(
            "delivery.lease must be at least \(DurationText.render(leaseMargin)) longer than delivery.timeout "
                + "(\(origin)).",
            hint: "Write \(DurationText.render(timeout + leaseMargin)) or more for delivery.lease, or shorten "
                + "delivery.timeout.")
    }
}
