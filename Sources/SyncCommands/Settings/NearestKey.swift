/// Finds the key that somebody meant who wrote another.
enum NearestKey {
    /// The nearest of the candidates, if one is near enough to be what was meant.
    ///
    /// A key in the wrong section is met by its last name: `timeout` means `delivery.timeout`.
    static func to(_ path: String, among candidates: [String]) -> String? {
        guard path.count <= longest else { return nil }
        let written = path.lowercased()
        let lastName = written.split(separator: ".").last
        let sameName = candidates.filter { $0.split(separator: ".").last == lastName }
        if sameName.count == 1 { return sameName.first }
        let ranked = candidates.map { (distance(written, $0), $0) }.min { $0 < $1 }
        guard let (steps, nearest) = ranked, steps <= max(2, written.count / 5) else { return nil }
        return nearest
    }

    /// The least number of letters to insert, drop, replace, or swap with a neighbour (Damerau and Levenshtein,
    /// no letter touched twice).
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left), Array(right))
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var next = [row + 1]
            for column in right.indices {
                let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
                var steps = min(replaced, last[column + 1] + 1, next[column] + 1)
                let isSwap =
                    row > 0 && column > 0 && left[row] == right[column - 1] && left[row - 1] == right[column]
                if isSwap { steps = min(steps, beforeLast[column - 1] + 1) }
                next.append(steps)
            }
            (beforeLast, last) = (last, next)
        }
        return last[right.count]
    }

    /// The work grows with the product of the lengths; no key is longer than a third of this.
    private static let longest = 100
}
