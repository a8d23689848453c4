import CYAML

/// What libyaml tells about a text, one event after the other.
enum Event {
    case documentStart
    case documentEnd
    case alias(String)
    case scalar(Node.Scalar, anchor: String?)
    case listStart(anchor: String?)
    case listEnd
    case mapStart(anchor: String?)
    case mapEnd
    case streamEnd
}

/// Reads a text with libyaml. The C parser and the bytes that it points to live as long as this does.
struct EventStream: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8]) throws(YAMLProblem) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            throw YAMLProblem(kind: .outOfMemory, mark: nil)
        }
        self.parser = parser
        input = .allocate(capacity: bytes.count)
        _ = input.initialize(fromContentsOf: bytes)
        // Said, so that the first bytes don't make UTF-16 of it.
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    /// The next event, and where it begins. Behind the end there is nothing but the end.
    mutating func next() throws(YAMLProblem) -> (Event, Mark) {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
            defer { yaml_event_delete(&event) }
            if let known = Event(event) { return (known, Mark(event.start_mark)) }
        }
    }

    /// A parser's problem has a place; a reader's has none but a count of bytes.
    private func problem() -> YAMLProblem {
        let mark = Mark(parser.pointee.problem_mark)
        switch parser.pointee.error {
        case YAML_MEMORY_ERROR: return YAMLProblem(kind: .outOfMemory, mark: nil)
        case YAML_READER_ERROR: return YAMLProblem(kind: readerProblem, mark: nil)
        case _: return YAMLProblem(kind: .syntax(words), mark: mark)
        }
    }

    private var words: String {
        parser.pointee.problem.map { String(cString: $0) } ?? "it can't be read"
    }

    private var readerProblem: YAMLProblem.Kind {
        words == "control characters are not allowed" ? .controlCharacter : .syntax(words)
    }
}

extension Event {
    /// `nil` for the start of the stream, and for no event.
    fileprivate init?(_ event: yaml_event_t) {
        let data = event.data
        switch event.type {
        case YAML_DOCUMENT_START_EVENT: self = .documentStart
        case YAML_DOCUMENT_END_EVENT: self = .documentEnd
        case YAML_ALIAS_EVENT: self = .alias(text(data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT: self = .scalar(Node.Scalar(data.scalar), anchor: text(data.scalar.anchor))
        case YAML_SEQUENCE_START_EVENT: self = .listStart(anchor: text(data.sequence_start.anchor))
        case YAML_SEQUENCE_END_EVENT: self = .listEnd
        case YAML_MAPPING_START_EVENT: self = .mapStart(anchor: text(data.mapping_start.anchor))
        case YAML_MAPPING_END_EVENT: self = .mapEnd
        case YAML_STREAM_START_EVENT: return nil
        case _: self = .streamEnd
        }
    }
}

extension Node.Scalar {
    /// The text by its length: an escape can put a NUL into it.
    fileprivate init(_ scalar: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar) {
        self.init(
            text: String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self),
            isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE, tag: YAML.text(scalar.tag))
    }
}

extension Mark {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}

/// A text of libyaml's.
private func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    bytes.map { String(cString: $0) }
}
