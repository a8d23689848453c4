import HTTPTypes
import Hummingbird
import SyncAgent
import SyncStore

/// The status page: one document, its own style and script, and the figures that the script asks for.
///
/// Nothing in it comes from elsewhere, and the policy that goes with it lets the browser load nothing else; no text of
/// the database is ever part of the markup, since the script sets it as text.
struct StatusPage: Sendable {
    let gatekeeper: Gatekeeper
    let version: String
    let standing: AgentStanding
    let figures: FigureCache<FleetFigures>
    let people: FigureCache<People>
    let history: FleetHistory
    let concern: @Sendable (FleetStatus) -> String?

    /// Who needs attention, and who is at work.
    struct People: Sendable {
        let attention: [AttentionGroup]
        let agents: [LivingAgent]
    }

    static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    func add(to router: Router<BasicRequestContext>) {
        let files: [(String, String, [UInt8])] = [
            ("/", "text/html; charset=utf-8", PackageResources.page_html),
            ("page.css", "text/css; charset=utf-8", PackageResources.page_css),
            ("page.js", "text/javascript; charset=utf-8", PackageResources.page_js),
            ("icon.svg", "image/svg+xml", PackageResources.icon_svg),
        ]
        for (path, type, bytes) in files {
            router.get(RouterPath(path)) { request, _ in
                gatekeeper.refusal(request) ?? StatusPage.answer(type, bytes)
            }
        }
        router.get("status.json") { request, _ in
            if let refusal = gatekeeper.refusal(request) { return refusal }
            return StatusPage.answer("application/json; charset=utf-8", await document().json)
        }
    }

    private func document() async -> StatusDocument {
        async let latest = figures.latest()
        async let around = people.latest()
        let (fleet, people) = await (latest, around)
        return StatusDocument(
            version: version, isDatabaseUp: standing.pulse.reading.isDatabaseReachable,
            ageSeconds: fleet.age.map { $0 / .seconds(1) },
            fleet: fleet.value.map { StatusDocument.Fleet($0, concern: concern($0.status)) },
            attention: (people.value?.attention ?? []).map(StatusDocument.Attention.init),
            agents: (people.value?.agents ?? []).map(StatusDocument.Agent.init), history: await history.samples)
    }

    private static func answer(_ type: String, _ bytes: [UInt8]) -> Response {
        var headers: HTTPFields = [
            .contentType: type, .contentSecurityPolicy: policy, .xContentTypeOptions: "nosniff",
            .cacheControl: "no-store",
        ]
        for (name, value) in [
            ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"), ("cross-origin-opener-policy", "same-origin"),
        ] {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: .init(bytes: bytes)))
    }
}
