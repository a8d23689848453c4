/// The source's key of one user, as text: what `source.key` holds. It may appear in logs.
public struct UserKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) { self.text = text }

    /// By bytes, as the database's `"C"` collation orders: the order in which rows are locked.
    public static func < (left: Self, right: Self) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    public var description: String { text }
}

/// What SignalWire knows a subscriber by. Often an e-mail address, so it never prints itself.
public struct Reference: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The value as it is sent: trimmed, never blank, and without control characters.
    public let text: String

    /// `nil` where the column is null or blank, or has a control character inside: such a user has no identity at
    /// SignalWire yet.
    ///
    /// In a name a control character becomes a blank. In what tells people apart it can't be replaced or dropped, since
    /// the result would be another reference than the application's, and perhaps another user's.
    public init?(_ raw: String?) {
        guard let reference = Reference(known: raw), !hasControls(reference.text) else { return nil }
        self = reference
    }

    /// One that SignalWire was told already, whatever was let through then.
    public init?(known raw: String?) {
        guard let trimmed = raw.map(trimmingWhitespace), !trimmed.isEmpty else { return nil }
        text = trimmed
    }

    /// Two references that fold to the same text may be one subscriber to SignalWire: how it
    /// treats case is not published, so the careful reading is that case doesn't matter.
    public var folded: String { text.lowercased() }

    public var description: String { "‹reference›" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// SignalWire's id of a subscriber (uuid, lower case), as `create_subscriber_token` returns it.
public struct SubscriberID: Sendable, Hashable, CustomStringConvertible {
    public let text: String

    /// `nil` unless the text has the shape of a uuid.
    public init?(_ raw: String) {
        let bytes = raw.utf8
        guard bytes.count == 36 else { return nil }
        let isShaped = bytes.enumerated().allSatisfy { place, byte in
            [8, 13, 18, 23].contains(place) ? byte == 0x2D : isHexDigit(byte)
        }
        guard isShaped else { return nil }
        text = raw.lowercased()
    }

    /// One that was made of numbers, and so has the shape.
    init(checked text: String) { self.text = text }

    public var description: String { text }
}

/// The fencing token of one claim: whoever settles must name it, and a newer claim has another.
public struct Lease: Sendable, Hashable, CustomStringConvertible {
    public let token: Int64

    public init(token: Int64) { self.token = token }

    public var description: String { String(token) }
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
}
