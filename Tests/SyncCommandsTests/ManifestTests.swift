import Foundation
import Testing
import YAML

@testable import SyncCommands

@Suite("The manifests of containers") struct ManifestTests {
    typealias Map = [String: Any]

    static func documents(_ file: String) throws -> [Map] {
        try Node.documents(Deployed.text(file)).compactMap { plain($0) as? Map }
    }

    /// As Kubernetes takes them: what has no quotes may be a truth or a number.
    static func plain(_ node: Node) -> Any {
        switch node.content {
        case .list(let nodes): nodes.map(plain)
        case .map(let pairs): pairs.reduce(into: Map()) { map, pair in add(pair, to: &map) }
        case .scalar(let scalar) where scalar.isPlain && Bool(scalar.text) != nil: scalar.text == "true"
        case .scalar(let scalar) where scalar.isPlain: Int(scalar.text).map { $0 as Any } ?? scalar.text
        case .scalar(let scalar): scalar.text
        }
    }

    /// What stands behind `<<` is as if it were written there, and what is written there wins.
    private static func add(_ pair: Node.Pair, to map: inout Map) {
        let value = plain(pair.value)
        guard pair.key.text == "<<", let merged = value as? Map else {
            map[pair.key.text ?? ""] = value
            return
        }
        map.merge(merged) { own, _ in own }
    }

    /// The value behind names of sections.
    static func value(_ document: Any?, _ path: String...) -> Any? {
        path.reduce(document) { ($0 as? Map)?[$1] }
    }

    static func pods() throws -> [Map] {
        try documents("kubernetes.yaml").filter { ["Job", "Deployment"].contains($0["kind"] as? String) }
            .compactMap { value($0, "spec", "template", "spec") as? Map }
    }

    @Test("run as nobody, on a file system that can't be written to, without a right")
    func isHardened() throws {
        let pods = try Self.pods()
        #expect(pods.count == 2)
        for pod in pods {
            #expect(pod["automountServiceAccountToken"] as? Bool == false)
            #expect(Self.value(pod, "securityContext", "runAsNonRoot") as? Bool == true)
            #expect(Self.value(pod, "securityContext", "seccompProfile", "type") as? String == "RuntimeDefault")
            for container in pod["containers"] as? [Map] ?? [] {
                let context = container["securityContext"]
                #expect(Self.value(context, "readOnlyRootFilesystem") as? Bool == true)
                #expect(Self.value(context, "allowPrivilegeEscalation") as? Bool == false)
                #expect(Self.value(context, "capabilities", "drop") as? [String] == ["ALL"])
                #expect(Self.value(container, "resources", "limits", "memory") != nil)
            }
        }
        let services = Self.value(try Self.documents("compose.yaml").first, "services") as? Map
        #expect(services?.keys.sorted() == ["agent", "migrate"])
        for service in ["agent", "migrate"] {
            #expect(Self.value(services, service, "read_only") as? Bool == true)
            #expect(Self.value(services, service, "cap_drop") as? [String] == ["ALL"])
        }
        #expect(try Deployed.text("Containerfile").contains("\nUSER 65532:65532\n"))
    }

    @Test("have several agents, probes of the endpoints that there are, and time to stop")
    func agents() throws {
        let deployment = try #require(
            try Self.documents("kubernetes.yaml").first { $0["kind"] as? String == "Deployment" })
        #expect(Self.value(deployment, "spec", "replicas") as? Int == 2)
        let pod = try #require(try Self.pods().last)
        #expect(pod["terminationGracePeriodSeconds"] as? Int == 45)
        let container = try #require((pod["containers"] as? [Map])?.first)
        #expect(Self.value(container, "livenessProbe", "httpGet", "path") as? String == "/livez")
        #expect(Self.value(container, "readinessProbe", "httpGet", "path") as? String == "/readyz")
        #expect(container["args"] as? [String] == ["run"])
    }

    @Test("name one version, this program's, and settings that can be read")
    func fits() throws {
        let images = try Self.pods().flatMap { $0["containers"] as? [Map] ?? [] }.compactMap { $0["image"] as? String }
        #expect(Set(images) == ["subscriber-sync:\(SubscriberSync.version)"])
        let map = try #require(try Self.documents("kubernetes.yaml").first { $0["kind"] as? String == "ConfigMap" })
        let yaml = try #require(Self.value(map, "data", "subscriber-sync.yaml") as? String)
        let (keys, _) = try ExampleSettingsTests.fromFile(yaml)
        #expect(keys.contains("source.reference"))
    }
}
