import HummingbirdCore
import NIOCore
import ServiceLifecycle

/// One request from its arrival to its end: understood, perhaps struck by a fault, applied, delivered.
struct Exchange: Sendable {
    let intake: Intake
    let model: SandboxModel

    func respond(to request: Request, _ writer: consuming ResponseWriter, on channel: any Channel) async throws {
        let path = request.uri.path
        switch try await intake.read(request, path: path) {
        case .refused(let answer, let isControl):
            if !isControl { model.noteAnswer(answer.status) }
            try await Delivery.send(answer, writer)
        case .control(let control, let body):
            let query = request.uri.queryParameters["reference"].map(String.init)
            try await Delivery.send(ControlEndpoint(model: model).answer(control, body: body, reference: query), writer)
        case .call(let call, let caller):
            try await serve(call, by: caller, at: path, writer, channel)
        }
    }

    /// Serves a call that is in order, unless it draws a fault.
    private func serve(
        _ call: Call, by caller: Caller, at path: String, _ writer: consuming ResponseWriter, _ channel: any Channel
    ) async throws {
        let visit = model.begin(call, path: path)
        guard await Delivery.hold(visit.draw.latencyMilliseconds, channel) else {
            model.end(visit)
            return try await breakOff(channel)
        }
        guard let effect = visit.draw.effect else {
            let answer = model.apply(call, by: caller)
            model.end(visit)
            model.noteAnswer(answer.status)
            return try await Delivery.send(answer, writer)
        }
        try await strike(effect, Struck(call: call, caller: caller, visit: visit), writer, channel)
    }

    /// A call that drew a fault.
    private struct Struck {
        let call: Call
        let caller: Caller
        let visit: SandboxModel.Visit
    }

    private func strike(
        _ effect: FaultEffect, _ struck: Struck, _ writer: consuming ResponseWriter, _ channel: any Channel
    ) async throws {
        let consequence = effect.consequence
        let applied = apply(struck, consequence)
        model.end(struck.visit)
        switch consequence.ending {
        case .answer(let change):
            let answer = change(applied)
            model.noteAnswer(answer.status)
            try await Delivery.send(answer, writer)
        case .cut:
            model.noteNoAnswer()
            try await Delivery.sendHalf(applied, writer, channel)
        case .reset(let delay):
            try await breakOff(channel)
            if let delay { await applyLate(struck, afterMilliseconds: delay) }
        case .silence(let limit):
            model.noteNoAnswer()
            await Delivery.keepSilent(limit, channel)
        }
    }

    /// The right answer, or an empty one where the request isn't applied: then nobody looks at it.
    private func apply(_ struck: Struck, _ consequence: Consequence) -> Answer {
        guard consequence.isApplied else { return Answer(500) }
        return model.apply(struck.call, by: struck.caller, namingIDs: consequence.namesIDs)
    }

    /// Ends the connection without an answer.
    private func breakOff(_ channel: any Channel) async throws {
        model.noteNoAnswer()
        try await Delivery.reset(channel)
    }

    /// Applies a request whose connection is gone already; not if the sandbox stops before.
    private func applyLate(_ struck: Struck, afterMilliseconds delay: Int) async {
        let isDue = try? await cancelWhenGracefulShutdown {
            try await Task.sleep(for: .milliseconds(delay))
            return true
        }
        if isDue == true { model.applyLate(struck.call, by: struck.caller) }
    }
}

/// What an effect means for a request.
struct Consequence: Sendable {
    /// How the client learns about it, or doesn't.
    enum Ending: Sendable {
        /// An answer, made from the right one.
        case answer(@Sendable (Answer) -> Answer)
        case cut
        /// Reset, and applied only after the delay where there is one.
        case reset(applyAfterMilliseconds: Int?)
        case silence(limitMilliseconds: Int)
    }

    var isApplied = true
    var namesIDs = true
    let ending: Ending

    static func instead(_ answer: Answer) -> Consequence {
        Consequence(isApplied: false, ending: .answer { _ in answer })
    }
}

extension FaultEffect {
    var consequence: Consequence {
        switch self {
        case .latency: Consequence(ending: .answer { $0 })
        case .status(let status, let code, let message, let attribute, let retryAfter):
            .instead(.fault(status, code: code, message: message, attribute: attribute, retryAfter: retryAfter))
        case .html(let status): .instead(.html(status))
        case .redirect(let location): .instead(.redirect(to: location))
        case .resetBeforeApplying: Consequence(isApplied: false, ending: .reset(applyAfterMilliseconds: nil))
        case .resetAfterApplying: Consequence(ending: .reset(applyAfterMilliseconds: nil))
        case .lateApply(let delay): Consequence(isApplied: false, ending: .reset(applyAfterMilliseconds: delay))
        case .hang(let limit): Consequence(isApplied: false, ending: .silence(limitMilliseconds: limit))
        case .cutBody: Consequence(ending: .cut)
        case .malformedBody: Consequence(ending: .answer { $0.malformed() })
        case .oversizedBody(let bytes): Consequence(ending: .answer { $0.padded(by: bytes) })
        case .missingSubscriberID: Consequence(namesIDs: false, ending: .answer { $0 })
        }
    }
}
