import FoundationEssentials

/// What tests and scripts ask of the sandbox itself, below `/__sandbox/`. It needs no credentials: the
/// sandbox is on loopback and holds nothing but play data.
///
/// | request | does |
/// |---|---|
/// | `GET /__sandbox/state` | every subscriber, in the order of creation; `?reference=GLOB` only some |
/// | `POST /__sandbox/state` | puts a list of subscribers there, each `{"reference": …, "profile": {…}}`, as if others had |
/// | `DELETE /__sandbox/state` | forgets subscribers and figures |
/// | `GET /__sandbox/stats` | the figures |
/// | `GET /__sandbox/faults` | the faults that are left, with the counts that are left |
/// | `PUT /__sandbox/faults` | replaces them by a list; each an object of the keys of a flag, or a flag's line |
/// | `DELETE /__sandbox/faults` | ends them |
struct ControlEndpoint: Sendable {
    let model: SandboxModel

    /// The body of `GET /__sandbox/state`.
    private struct State: Encodable {
        let subscribers: [SandboxSubscriber]
    }

    /// The body of `GET /__sandbox/faults`.
    private struct FaultList: Encodable {
        let faults: [Fault]
    }

    /// - Parameter reference: a pattern that narrows the state.
    func answer(_ control: Route.Control, body: Data, reference: String?) -> Answer {
        switch control {
        case .readState: return Answer(200, json: State(subscribers: subscribers(like: reference)))
        case .seedState: return seedState(body)
        case .forgetState:
            model.forgetEverything()
            return Answer(204)
        case .readStatistics: return Answer(200, json: model.figures)
        case .readFaults: return Answer(200, json: FaultList(faults: model.faults))
        case .setFaults: return setFaults(body)
        case .clearFaults:
            model.setFaults([])
            return Answer(204)
        }
    }

    private func subscribers(like reference: String?) -> [SandboxSubscriber] {
        guard let glob = reference.map(Glob.init(pattern:)) else { return model.subscribers }
        return model.subscribers.filter { glob.matches($0.reference) }
    }

    private func seedState(_ body: Data) -> Answer {
        guard let seeds = try? JSONDecoder().decode([SandboxSeed].self, from: body) else {
            return Answer(400, json: ShortError(error: "The body must be a JSON array of objects with a reference."))
        }
        model.seed(seeds, at: Date().timeIntervalSince1970)
        return Answer(204)
    }

    private func setFaults(_ body: Data) -> Answer {
        guard let value = JSONValue.parse(body), case .array(let written) = value else {
            return Answer(400, json: ShortError(error: "The body must be a JSON array of faults."))
        }
        do throws(FaultSyntaxError) {
            var faults: [Fault] = []
            for entry in written { faults.append(try Fault(entry)) }
            model.setFaults(faults)
            return Answer(200, json: FaultList(faults: faults))
        } catch {
            return Answer(400, json: ShortError(error: error.description))
        }
    }
}
