extension Node {
    /// Reads a text with one document in it.
    ///
    /// - Returns: `nil` for a text with nothing but blanks and comments.
    public static func parse(_ text: String) throws(YAMLProblem) -> Node? {
        try parse(bytes: Array(text.utf8))
    }

    /// Reads UTF-8 with one document in it; what isn't UTF-8 is refused.
    public static func parse(bytes: [UInt8]) throws(YAMLProblem) -> Node? {
        var composer = try Composer(bytes)
        let root = try composer.document()
        guard root != nil, let (_, mark) = try composer.documentStart() else { return root }
        throw YAMLProblem(kind: .severalDocuments, mark: mark)
    }

    /// Reads all documents of a text.
    public static func documents(_ text: String) throws(YAMLProblem) -> [Node] {
        var composer = try Composer(Array(text.utf8))
        var documents: [Node] = []
        while let document = try composer.document() { documents.append(document) }
        return documents
    }
}

/// Makes values of events, and refuses what is too much before it is there.
private struct Composer: ~Copyable {
    private var events: EventStream
    private var anchors: [String: Node] = [:]
    private var aliases = 0
    private var values = 0

    init(_ bytes: [UInt8]) throws(YAMLProblem) {
        events = try EventStream(bytes)
    }

    /// The start of the next document; `nil` at the end of the text.
    mutating func documentStart() throws(YAMLProblem) -> (Event, Mark)? {
        let (event, mark) = try events.next()
        if case .streamEnd = event { return nil }
        return (event, mark)
    }

    /// The next document; `nil` at the end of the text.
    mutating func document() throws(YAMLProblem) -> Node? {
        guard try documentStart() != nil else { return nil }
        anchors = [:]
        let root = try value(try events.next(), depth: 0)
        _ = try events.next()
        return root
    }

    /// The value that begins with an event; `nil` where the event is the end of a list or a map.
    private mutating func value(_ first: (Event, Mark), depth: Int) throws(YAMLProblem) -> Node? {
        let (event, mark) = first
        guard depth <= YAMLLimits.depth else { throw YAMLProblem(kind: .tooDeep, mark: mark) }
        switch event {
        case .scalar(let scalar, let anchor):
            return try known(Node(content: .scalar(scalar), mark: mark, size: 1), as: anchor)
        case .listStart(let anchor):
            let nodes = try list(depth + 1)
            let size = nodes.reduce(1) { $0 + $1.size }
            return try known(Node(content: .list(nodes), mark: mark, size: size), as: anchor)
        case .mapStart(let anchor):
            let pairs = try map(depth + 1)
            let size = pairs.reduce(1) { $0 + $1.key.size + $1.value.size }
            return try known(Node(content: .map(pairs), mark: mark, size: size), as: anchor)
        case .alias(let name): return try named(name, mark)
        case .listEnd, .mapEnd, .documentStart, .documentEnd, .streamEnd: return nil
        }
    }

    private mutating func list(_ depth: Int) throws(YAMLProblem) -> [Node] {
        var nodes: [Node] = []
        while let node = try value(try events.next(), depth: depth) { nodes.append(node) }
        return nodes
    }

    /// Keys are compared where they are texts. Others are nobody's settings, and comparing them is what takes long.
    private mutating func map(_ depth: Int) throws(YAMLProblem) -> [Node.Pair] {
        var pairs: [Node.Pair] = []
        var keys: Set<String> = []
        while let key = try value(try events.next(), depth: depth) {
            guard let value = try value(try events.next(), depth: depth) else { break }
            if let text = key.text, !keys.insert(text).inserted {
                throw YAMLProblem(kind: .duplicateKey, mark: key.mark)
            }
            pairs.append(Node.Pair(key: key, value: value))
        }
        return pairs
    }

    /// Only what is whole can be named, so nothing can hold itself.
    private mutating func known(_ node: Node, as anchor: String?) throws(YAMLProblem) -> Node {
        if let anchor { anchors[anchor] = node }
        return try counted(node, 1)
    }

    private mutating func named(_ name: String, _ mark: Mark) throws(YAMLProblem) -> Node {
        aliases += 1
        guard aliases <= YAMLLimits.aliases else { throw YAMLProblem(kind: .tooManyAliases, mark: mark) }
        guard let node = anchors[name] else { throw YAMLProblem(kind: .unknownAlias, mark: mark) }
        return try counted(node, node.size)
    }

    private mutating func counted(_ node: Node, _ count: Int) throws(YAMLProblem) -> Node {
        values += count
        guard values <= YAMLLimits.values else { throw YAMLProblem(kind: .tooManyValues, mark: node.mark) }
        return node
    }
}
