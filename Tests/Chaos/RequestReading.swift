import Foundation

/// Reads just enough of HTTP/1.1 to know when a request is whole, and about whom it is.
struct RequestReading {
    private var bytes: [UInt8] = []
    /// The reference of the request that was read; `nil` before it is whole.
    private(set) var reference: String?

    /// - Returns: the reference, once, when the request is whole.
    mutating func take(_ more: [UInt8]) -> String? {
        guard reference == nil else { return nil }
        bytes += more
        guard let body = bodyStart(), bytes.count >= body + length(ofHead: bytes[..<body]) else { return nil }
        let object = try? JSONSerialization.jsonObject(with: Data(bytes[body...])) as? [String: Any]
        reference = object?["reference"] as? String ?? ""
        return reference
    }

    private func bodyStart() -> Int? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first { Array(bytes[$0..<($0 + 4)]) == end }.map { $0 + 4 }
    }

    private func length(ofHead head: ArraySlice<UInt8>) -> Int {
        let lines = String(decoding: head, as: UTF8.self).lowercased().split(separator: "\r\n")
        let length = lines.first { $0.hasPrefix("content-length:") }?.split(separator: ":").last
        return length.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) } ?? 0
    }
}
