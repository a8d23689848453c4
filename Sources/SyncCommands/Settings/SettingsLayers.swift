import Configuration

/// The places that settings come from, strongest first.
struct SettingsLayers: Sendable {
    /// A text and where it stood.
    struct Finding: Sendable {
        let text: String
        let origin: SettingOrigin
    }

    /// One place: a provider of texts, and how to name it.
    private struct Layer: Sendable {
        let provider: any ConfigProvider
        let origin: @Sendable (SettingDefinition) -> SettingOrigin
    }

    private let layers: [Layer]

    init(flags: [String: Finding], environment: EnvironmentTexts, file: [String: Finding]) {
        let variables = EnvironmentVariablesProvider(
            environmentVariables: environment.texts, secretsSpecifier: .all)
        layers = [
            SettingsLayers.layer("flags", flags),
            Layer(provider: variables) { .environment(environment.variable(of: $0)) },
            SettingsLayers.layer("file", file),
        ]
    }

    /// The strongest text for a key; `nil` where nobody gave one.
    ///
    /// Everything is read as text and parsed here: the providers' own conversions know no line and no unit,
    /// and fall silently to the next place where a type is wrong.
    func finding(for definition: SettingDefinition) -> Finding? {
        let key = SettingsLayers.key(definition.path)
        for layer in layers {
            guard let value = (try? layer.provider.value(forKey: key, type: .string))?.value,
                case .string(let text) = value.content
            else { continue }
            return Finding(text: text, origin: layer.origin(definition))
        }
        return nil
    }

    private static func layer(_ name: String, _ findings: [String: Finding]) -> Layer {
        let values = findings.map { (key($0), ConfigValue(.string($1.text), isSecret: true)) }
        let provider = InMemoryProvider(
            name: name, values: Dictionary(values, uniquingKeysWith: { first, _ in first }))
        return Layer(provider: provider) { findings[$0.path]?.origin ?? .standard }
    }

    private static func key(_ path: String) -> AbsoluteConfigKey {
        AbsoluteConfigKey(path.split(separator: ".").map { String($0) })
    }
}
