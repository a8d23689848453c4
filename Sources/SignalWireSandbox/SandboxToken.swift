import FoundationEssentials

/// Tokens that look like SignalWire's (JWE compact serialization: five base64url segments, the
/// second one empty) and open nothing.
///
/// Each is new. All carry two constant texts, so that a test can search logs, tables and output for a
/// leaked one, whole or in part: ``headerMarker`` at the start and ``bodyMarker`` in the middle.
///
/// A refresh token carries the subscriber's id and its own expiry, so the sandbox need not remember
/// the tokens it made, however many.
public struct SandboxToken: Sendable, Hashable {
    /// What every token begins with: `{"alg":"dir","enc":"A256GCM","` in base64url.
    public static let headerMarker = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwi"
    /// What the fourth segment of every token begins with.
    public static let bodyMarker = "SandboxLeakCheck"

    /// What a token is for; it stands in the `typ` of its header.
    enum Kind: String {
        case access = "SAT"
        case refresh = "Refresh"
    }

    /// What a refresh token turned out to be.
    enum Reading: Equatable {
        case valid(subscriberID: String)
        case expired
        case foreign
    }

    /// How long a refresh token is good for: two hours and five minutes, as the API's page says.
    static let refreshLifetimeSeconds = 7_500.0

    /// Makes a token for a subscriber.
    ///
    /// - Parameter expiresAt: Unix seconds.
    static func mint(_ kind: Kind, subscriberID: String, expiresAt: Double) -> String {
        // A caller may ask for any whole number, and the last of them are above every Int once they are Doubles.
        let claims = subscriberID + " " + String(expiresAt < 9e18 ? Int(expiresAt) : .max)
        let body = Base64URL.encode(Array(claims.utf8) + [0] + randomBytes(160))
        let unsigned = [header(kind), "", Base64URL.encode(randomBytes(12)), bodyMarker + body].joined(separator: ".")
        return unsigned + "." + seal(unsigned)
    }

    /// Reads a refresh token back; anything that this process did not make is ``Reading/foreign``.
    static func readRefresh(_ token: String, at now: Double) -> Reading {
        let segments = token.split(separator: ".", omittingEmptySubsequences: false)
        guard segments.count == 5, segments[0] == header(.refresh),
            segments[4] == seal(segments[..<4].joined(separator: ".")), segments[3].hasPrefix(bodyMarker),
            let body = Base64URL.decode(segments[3].dropFirst(bodyMarker.count)), let end = body.firstIndex(of: 0)
        else { return .foreign }
        let claims = String(decoding: body[..<end], as: UTF8.self).split(separator: " ")
        guard claims.count == 2, let expiresAt = Double(claims[1]) else { return .foreign }
        return expiresAt > now ? .valid(subscriberID: String(claims[0])) : .expired
    }

    private static func header(_ kind: Kind) -> String {
        switch kind {
        case .access: accessHeader
        case .refresh: refreshHeader
        }
    }

    private static let accessHeader = encodeHeader(.access)
    private static let refreshHeader = encodeHeader(.refresh)

    private static func encodeHeader(_ kind: Kind) -> String {
        Base64URL.encode(Array(#"{"alg":"dir","enc":"A256GCM","typ":"\#(kind.rawValue)","ch":"sandbox"}"#.utf8))
    }

    /// Sixteen bytes over the rest, keyed by the process (`Hasher` is seeded at its start): no
    /// cryptography, only enough to notice a token that was made up or changed.
    private static func seal(_ unsigned: String) -> String {
        let halves = [0, 1].map { half in
            var hasher = Hasher()
            hasher.combine(half)
            hasher.combine(unsigned)
            return UInt64(bitPattern: Int64(hasher.finalize()))
        }
        return Base64URL.encode(halves.flatMap(bytes))
    }

    /// Bytes that nobody has seen before. Only their seed comes from the system: the sandbox is the
    /// other side of benchmarks, and asking the system for each byte would cost more than the rest.
    private static func randomBytes(_ count: Int) -> [UInt8] {
        var series = SplitMix(state: UInt64.random(in: .min ... .max))
        var random: [UInt8] = []
        random.reserveCapacity(count + 8)
        while random.count < count { random += bytes(series.next()) }
        return Array(random.prefix(count))
    }

    private static func bytes(_ word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
}
