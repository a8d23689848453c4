import ArgumentParser
import AsyncHTTPClient
import Hummingbird

/// The least program with the same large libraries: one server, one client that asks it once. What it weighs, and what
/// memory it takes, is what nobody can be below who uses them.
@main
struct Hello: AsyncParsableCommand {
    @Option(help: "Where the server listens; 0: a free port.")
    var port = 0

    func run() async throws {
        let router = Router()
        router.get("/") { _, _ in "hello" }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                guard let port = channel.localAddress?.port else { return }
                let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/")
                // The server begins to answer behind this.
                Task {
                    guard let answer = try? await HTTPClient.shared.execute(request, timeout: .seconds(5)) else {
                        return
                    }
                    print(answer.headers.isEmpty ? "nobody" : "answered")
                }
            })
        try await application.runService()
    }
}
