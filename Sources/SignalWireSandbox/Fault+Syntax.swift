extension Fault {
    /// Reads `EFFECT,KEY=VALUE,…`; the type's page has examples.
    public init(parsing line: String) throws(FaultSyntaxError) {
        try self.init(FaultFields(line: line))
    }

    init(_ written: FaultFields) throws(FaultSyntaxError) {
        var fields = written
        let kind = try fields.takeKind()
        let effect = try FaultEffect(kind, &fields)
        self.init(
            effect,
            latencyMilliseconds: try fields.takeInteger("latency", in: 0...600_000) ?? 0,
            reference: fields.take("reference"),
            path: fields.take("path"),
            count: try fields.takeInteger("count", in: 1...Int.max),
            probability: try fields.takeProbability(),
            seed: UInt64(try fields.takeInteger("seed", in: 0...Int.max) ?? 1))
        try fields.finish(kind)
    }

    /// The same as keys and values; reading them gives the same fault again.
    var fields: [String: String] {
        var fields = effect.fields
        fields["effect"] = effect.name
        fields["latency"] = latencyMilliseconds > 0 ? String(latencyMilliseconds) : nil
        fields["reference"] = reference
        fields["path"] = path
        fields["count"] = count.map(String.init)
        fields["probability"] = probability.map { String($0) }
        fields["seed"] = seed == 1 ? nil : String(seed)
        return fields
    }
}

/// A fault is a flat JSON object of the keys that a flag has, or a text that is a flag's line. Numbers may
/// be written as numbers.
extension Fault: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(JSONValue(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        try fields.encode(to: encoder)
    }

    init(_ value: JSONValue) throws(FaultSyntaxError) {
        switch value {
        case .string(let line): try self.init(parsing: line)
        case .object(let members): try self.init(FaultFields(members: members))
        case .null, .bool, .integer, .number, .array:
            throw FaultSyntaxError(
                message: "A fault is neither an object nor a text.", hint: "Write it as {\"effect\": \"hang\"}.")
        }
    }
}

extension FaultEffect {
    /// Takes the parameters of one kind; those that are not given have the defaults of the case.
    init(_ kind: Kind, _ fields: inout FaultFields) throws(FaultSyntaxError) {
        switch kind {
        case .latency: self = .latency
        case .status: self = try Self.status(&fields)
        case .html: self = .html(status: try fields.takeInteger("status", in: 400...599) ?? 502)
        case .redirect: self = fields.take("location").map { .redirect(to: $0) } ?? .redirect()
        case .resetBefore: self = .resetBeforeApplying
        case .resetAfter: self = .resetAfterApplying
        case .lateApply: self = .lateApply(afterMilliseconds: try fields.takeInteger("delay", in: 0...600_000) ?? 1_000)
        case .hang: self = .hang(limitMilliseconds: try fields.takeInteger("limit", in: 1...600_000) ?? 60_000)
        case .cutBody: self = .cutBody
        case .malformedBody: self = .malformedBody
        case .oversizedBody:
            self = .oversizedBody(bytes: try fields.takeInteger("bytes", in: 1...16_777_216) ?? 1_048_576)
        case .missingID: self = .missingSubscriberID
        }
    }

    private static func status(_ fields: inout FaultFields) throws(FaultSyntaxError) -> FaultEffect {
        guard let status = try fields.takeInteger("status", in: 400...599) else {
            throw FaultSyntaxError(message: "A fault with the effect status names no status.", hint: "Add status=500.")
        }
        return .status(
            status, code: fields.take("code"), message: fields.take("message"),
            attribute: fields.take("attribute"), try fields.takeRetryAfter())
    }

    /// The parameters as keys and values.
    fileprivate var fields: [String: String] {
        switch self {
        case .latency, .resetBeforeApplying, .resetAfterApplying, .cutBody, .malformedBody, .missingSubscriberID:
            return [:]
        case .status(let status, let code, let message, let attribute, let retryAfter):
            let all = [
                "status": String(status), "code": code, "message": message, "attribute": attribute,
                "retry-after": retryAfter?.written,
            ]
            return all.compactMapValues { $0 }
        case .html(let status): return ["status": String(status)]
        case .redirect(let location): return ["location": location]
        case .lateApply(let delay): return ["delay": String(delay)]
        case .hang(let limit): return ["limit": String(limit)]
        case .oversizedBody(let bytes): return ["bytes": String(bytes)]
        }
    }
}

extension FaultEffect.RetryAfter {
    fileprivate var written: String {
        switch self {
        case .seconds(let seconds): String(seconds)
        case .date(let seconds): "date:\(seconds)"
        }
    }
}
