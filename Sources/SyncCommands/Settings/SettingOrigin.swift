/// Where a setting's value came from, in the words of error messages and of `config`.
enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
    /// The flag with its dashes, such as `--set`.
    case flag(String)
    /// The name of the variable; of the `…_FILE` variable where a file held the value.
    case environment(String)
    /// The YAML file as it was named, and the line that the key stands on.
    case file(path: String, line: Int?)
    /// Nobody gave a value.
    case standard

    var description: String {
        switch self {
        case .flag(let name): "flag \(name)"
        case .environment(let name): "environment variable \(name)"
        case .file(let path, let line): line.map { "\(path), line \($0)" } ?? path
        case .standard: "default"
        }
    }
}

/// One line of `config`: what holds, and who said so.
struct EffectiveSetting: Sendable, Hashable {
    /// Such as `delivery.rate`.
    let key: String
    /// As it was written; secrets redacted, connection strings without their password. `nil`: none, or one that
    /// can't be used.
    let value: String?
    let origin: SettingOrigin
    /// Whether it is wrong. Then nobody knows what was written there, so it isn't shown.
    var isWrong = false
}
