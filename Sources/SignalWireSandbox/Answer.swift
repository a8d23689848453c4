import FoundationEssentials

/// One HTTP answer, complete.
struct Answer: Sendable {
    let status: Int
    var headers: [(name: String, value: String)]
    var body: Data

    init(_ status: Int, body: Data = Data(), headers: [(name: String, value: String)] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer with a JSON body.
    init(_ status: Int, json body: some Encodable, headers: [(name: String, value: String)] = []) {
        let type = (name: "Content-Type", value: "application/json; charset=utf-8")
        self.init(status, body: Self.encode(body), headers: [type] + headers)
    }

    /// The bytes of a value. What we encode are strings and whole numbers, which can't fail.
    private static func encode(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)) ?? Data("null".utf8)
    }
}

/// The short body of an error: `{"error": "Not Found"}`.
struct ShortError: Encodable {
    let error: String
}

/// The long body of an error: `{"errors": […]}`, one for each thing that is wrong.
struct ErrorList: Encodable {
    let errors: [ErrorItem]
}

/// One error as `Types.StatusCodes.RestApiErrorItem` describes it. `attribute` is null, not absent, where no
/// parameter is meant.
struct ErrorItem: Encodable, Sendable, Hashable {
    var type = "validation_error"
    let code: String
    let message: String
    let attribute: String?

    enum CodingKeys: String, CodingKey {
        case type, code, message, attribute, url
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encode(code, forKey: .code)
        try container.encode(message, forKey: .message)
        try container.encode(attribute, forKey: .attribute)
        try container.encode("https://signalwire.com/docs/apis/error-codes", forKey: .url)
    }
}

extension Answer {
    static var unauthorized: Answer {
        let challenge = (name: "WWW-Authenticate", value: "Basic realm=\"SignalWire\"")
        return Answer(401, json: ShortError(error: "Unauthorized"), headers: [challenge])
    }
    static var notFound: Answer { Answer(404, json: ShortError(error: "Not Found")) }
    static var badRequest: Answer { Answer(400, json: ShortError(error: "Bad Request")) }
    static var tooLarge: Answer { Answer(413, json: ShortError(error: "Payload Too Large")) }
    static var notJSON: Answer { Answer(415, json: ShortError(error: "Unsupported Media Type")) }

    static func notAllowed(instead methods: [String]) -> Answer {
        let allow = (name: "Allow", value: methods.joined(separator: ", "))
        return Answer(405, json: ShortError(error: "Method Not Allowed"), headers: [allow])
    }

    static func invalid(_ errors: [ErrorItem]) -> Answer {
        Answer(422, json: ErrorList(errors: errors))
    }
}
