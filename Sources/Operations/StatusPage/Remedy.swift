/// What an operator can do about users who need attention, by the reason.
///
/// A held user's reason says it itself.
enum Remedy {
    static func text(standing: String, code: String?) -> String {
        switch standing {
        case "retrying": "Tried again by itself, at growing intervals of up to 15 minutes."
        case "held": held(code)
        case _: rejected(code)
        }
    }

    private static func held(_ code: String?) -> String {
        switch code {
        case "mass_change", "new_subscriber_limit":
            "subscriber-sync approve pushes them; subscriber-sync reject leaves them unsent."
        case "mass_change_rejected", "new_subscriber_limit_rejected":
            "An operator said reject. They are pushed when their rows change, or by subscriber-sync resync --failed."
        case _: "Change the row, then it is pushed; or mend it, then subscriber-sync resync --user KEY."
        }
    }

    private static func rejected(_ code: String?) -> String {
        switch code {
        case "value_not_unique": "Another subscriber has this value at SignalWire. Change the row, or the other one."
        case "unsupported_option", "invalid_parameter", "not_a_string", "missing_required_parameter":
            "SignalWire does not take a value. Change the row, or the mapping; then subscriber-sync resync --failed."
        case "provided_id_is_unrecognized", "does_not_exist", "must_belong_to_project":
            "Check signalwire.application_id and the project; then subscriber-sync resync --failed."
        case "redirected": "Check SIGNALWIRE_SPACE: the address leads elsewhere; then subscriber-sync resync --failed."
        case _: "Change the row, then it is pushed; or mend the cause, then subscriber-sync resync --failed."
        }
    }
}
