/// A value of a YAML document, and where it stands.
///
/// Nobody guesses what a text means: `no`, `1e3` and `2001-01-01` stay texts, and whoever knows what is wanted reads
/// them. Only null has to be told from the text of the same letters in quotes.
public struct Node: Sendable {
    /// What a value can be.
    public enum Content: Sendable {
        case scalar(Scalar)
        case list([Node])
        case map([Pair])
    }

    /// A text, as it is once quotes and escapes are gone.
    public struct Scalar: Sendable, Equatable {
        public let text: String
        /// Whether it stands without quotes, and not as a block.
        public let isPlain: Bool
        /// The tag that was written, in full, such as `tag:yaml.org,2002:str`.
        public let tag: String?
    }

    /// One entry of a map. A key may be any value, as YAML has it.
    public struct Pair: Sendable {
        public let key: Node
        public let value: Node
    }

    public let content: Content
    /// Where it begins. What an alias stands for begins where it is written out.
    public let mark: Mark
    /// The values that it is made of, itself included and aliases written out.
    let size: Int
}

/// A place in a text. Both numbers are from 1, and columns are Unicode scalars.
public struct Mark: Sendable, Equatable {
    public let line: Int
    public let column: Int
}

extension Node {
    public var scalar: Scalar? {
        if case .scalar(let scalar) = content { scalar } else { nil }
    }

    /// The text of a scalar.
    public var text: String? { scalar?.text }

    public var list: [Node]? {
        if case .list(let nodes) = content { nodes } else { nil }
    }

    /// The entries of a map, as they are written.
    public var map: [Pair]? {
        if case .map(let pairs) = content { pairs } else { nil }
    }

    /// The value of a key of a map.
    public subscript(key: String) -> Node? {
        map?.first { $0.key.text == key }?.value
    }

    /// Whether it is one of YAML's ways to write nothing, which quotes and the tag of another type make a text of.
    public var isNull: Bool {
        guard let scalar, scalar.isPlain, scalar.tag == nil || scalar.tag == "tag:yaml.org,2002:null" else {
            return false
        }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.text)
    }
}
