import Operations
import YAML

extension ValueSyntax where Value == WebhookSecrets? {
    /// One or more secrets; empty is none. They are written redacted.
    static var webhookSecrets: Self {
        Self(
            form: "whsec_ and the base64 of 24 random bytes or more; several with commas between them",
            parse: { text throws(ValueProblem) in
                guard !text.isEmpty else { return nil }
                do throws(WebhookSecrets.Problem) {
                    return try WebhookSecrets(parsing: text)
                } catch {
                    throw ValueProblem(
                        error.what, hint: "Make one with: echo \"whsec_$(openssl rand -base64 32)\"")
                }
            },
            render: { $0 == nil ? "" : Secret.redacted })
    }
}

extension WebhookSecrets.Problem {
    fileprivate var what: String {
        switch self {
        case .empty: "is empty"
        case .notBase64: "is not base64 behind whsec_"
        case .tooShort: "has fewer than 24 bytes"
        case .tooMany: "has more than eight secrets"
        }
    }
}

extension ValueSyntax where Value == [KeyPath] {
    /// A list of paths; in the environment in YAML's flow style, or one alone.
    static var keyPaths: Self {
        Self(
            form: "a list of paths such as [data.user_key, record.id, event.data.new.id]",
            parse: { text throws(ValueProblem) in
                let root = try YAMLText.root(text)
                let texts = root?.list?.map(\.text) ?? [root?.text]
                guard !texts.isEmpty, texts.count <= 32 else { throw ValueProblem("is no list of 1 to 32 paths") }
                var paths: [KeyPath] = []
                for text in texts {
                    guard let path = text.flatMap(KeyPath.init) else {
                        throw ValueProblem("has something else than names with dots between them")
                    }
                    paths.append(path)
                }
                return paths
            },
            render: { "[\($0.map(\.description).map(FlowText.quoted).joined(separator: ", "))]" })
    }
}

extension ValueSyntax where Value == OperationsToken? {
    /// A token; empty is none. It is written redacted.
    static var operationsToken: Self {
        Self(
            form: "16 characters or more that nobody guesses",
            parse: { text throws(ValueProblem) in
                guard !text.isEmpty else { return nil }
                guard let token = OperationsToken(text) else {
                    throw ValueProblem("is shorter than 16 characters", hint: "Make one with: openssl rand -hex 24")
                }
                return token
            },
            render: { $0 == nil ? "" : Secret.redacted })
    }
}
