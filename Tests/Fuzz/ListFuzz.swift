import Foundation
import SyncCore
import Testing

@testable import SignalWire

/// What may stand in a page of the list of subscribers, and where it may lead.
extension FuzzTests {
    private static let listBodies = [
        #"{"data":[{"id":"d369a402-7b43-4512-8735-9d5e1f387814","subscriber":{"id":"32d94154-9297-418c-9a85-4a69e0c67c30","#
            + #""email":"planted@x","first_name":"Planted","last_name":null,"timezone":"UTC","country":7}}],"#
            + #""links":{"self":"s","first":"f","next":"https://acme.signalwire.com/api/fabric/resources/subscribers?a=1"}}"#,
        #"{"data":[],"links":{}}"#, #"{"data":[{},7,null,{"subscriber":[]}],"links":{"next":null}}"#,
    ]

    private static let listTokens = [
        "{", "}", "[", "]", ",", ":", "\"", "null", "data", "links", "next", "subscriber", "id", "email", "timezone",
        "planted", " ", "https://", "@", "?", "#", "..", "//", "\\r\\n",
    ]

    @Test("in a page of the list is read into what shows none of it, and leads to the same host or nowhere")
    func lists() throws {
        let space = try Space(parsing: "acme")
        FuzzRun.over("lists") { input in
            let body = input.bytes(from: Self.listBodies, tokens: Self.listTokens, limit: 65_536)
            guard let page = try? SubscriberPage(Data(body), of: space) else { return .held }
            let text = "\(page) \(String(reflecting: page)) \(page.subscribers) \(String(reflecting: page.subscribers))"
            guard !text.lowercased().contains("planted") else { return .broken(text) }
            let isSent = page.subscribers.allSatisfy { $0.reference.map { Reference(known: $0.text) == $0 } ?? true }
            return isSent && leadsHome(page.next) ? .held : .broken(body.shown)
        }
        let links = ["https://acme.signalwire.com/api/fabric/resources/subscribers?page_number=1&page_token=PA7"]
        FuzzRun.over("links") { input in
            let text = input.text(from: links, tokens: Self.listTokens + links, limit: 600)
            return leadsHome(ListCursor(link: text, of: space)) ? .held : .broken(text.debugDescription)
        }
    }

    /// Whether a path that is appended to the space's base stays on its host, and within the list.
    private func leadsHome(_ cursor: ListCursor?) -> Bool {
        guard let cursor else { return true }
        let url = URL(string: "https://acme.signalwire.com" + cursor.path)
        return url.map { $0.host == "acme.signalwire.com" && $0.path == ListCursor.listPath && $0.user == nil } ?? true
    }
}
