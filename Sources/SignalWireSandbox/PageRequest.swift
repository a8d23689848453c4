/// Which page of a list is asked for.
///
/// SignalWire's links carry a number, a size and an opaque token that says where the page starts;
/// a page can also be asked for by its number alone.
struct PageRequest: Sendable, Hashable {
    let number: Int
    let size: Int
    /// Where the page starts, from the token; `nil`: to be counted out.
    let start: Int?

    static let defaultSize = 50
    static let sizes = 1...1_000

    /// What is wrong with one query parameter.
    enum Problem: Error {
        case invalid(ErrorItem)
    }

    init(number: Int = 0, size: Int = defaultSize, start: Int? = nil) {
        self.number = number
        self.size = size
        self.start = start
    }

    /// Reads the query. Unknown parameters are left alone, as filters of other lists are.
    init(query: (String) -> String?) throws(Problem) {
        number = try Self.integer("page_number", query("page_number"), in: 0...Int.max) ?? 0
        size = try Self.integer("page_size", query("page_size"), in: Self.sizes) ?? Self.defaultSize
        guard let token = query("page_token") else {
            start = nil
            return
        }
        guard token.hasPrefix("PA"), let start = Int(token.dropFirst(2)), start >= 0 else {
            throw .invalid(.invalid("page_token", "is unknown"))
        }
        self.start = start
    }

    private static func integer(
        _ name: String, _ text: String?, in range: ClosedRange<Int>
    ) throws(Problem) -> Int? {
        guard let text else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .invalid(.invalid(name, "is out of range"))
        }
        return number
    }

    /// The query of a page's link.
    var query: String {
        "page_number=\(number)&page_size=\(size)" + (start.map { "&page_token=PA\($0)" } ?? "")
    }
}
