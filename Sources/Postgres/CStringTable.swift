import CLibPQ

/// Texts as libpq takes them: an array of pointers to NUL-terminated bytes, `nil` for NULL.
///
/// All bytes stand in one buffer, so nothing has to be freed one by one.
struct CStringTable {
    private var bytes: [CChar] = []
    /// Where each text begins; `nil` is NULL.
    private var offsets: [Int?] = []

    var count: Int { offsets.count }

    /// - Returns: `nil` where a text holds a NUL, at which C would cut it off without a word.
    init?(_ texts: [String?]) {
        for text in texts {
            guard let text else {
                offsets.append(nil)
                continue
            }
            guard !text.utf8.contains(0) else { return nil }
            offsets.append(bytes.count)
            bytes.append(contentsOf: text.utf8.lazy.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
    }

    /// - Parameter body: gets the pointers, and one NULL behind them. They end with the call.
    func withPointers<Result>(_ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { buffer in
            let pointers = offsets.map { offset in offset.flatMap { start in buffer.baseAddress.map { $0 + start } } }
            return (pointers + [nil]).withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }
}
