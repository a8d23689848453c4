/// Events by time, and those of one time in the order in which they were scheduled: a binary heap.
struct EventQueue<Event> {
    private struct Entry {
        let at: Int64
        let number: Int
        let event: Event

        func precedes(_ other: Entry) -> Bool { (at, number) < (other.at, other.number) }
    }

    private var entries: [Entry] = []
    private var lastNumber = 0

    mutating func schedule(_ event: Event, at instant: Int64) {
        lastNumber += 1
        entries.append(Entry(at: instant, number: lastNumber, event: event))
        siftUp(from: entries.count - 1)
    }

    /// The earliest event, which is taken out; `nil` where nothing is scheduled.
    mutating func next() -> (at: Int64, event: Event)? {
        guard let first = entries.first else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            siftDown()
        }
        return (first.at, first.event)
    }

    private mutating func siftUp(from index: Int) {
        var child = index
        while child > 0, entries[child].precedes(entries[(child - 1) / 2]) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].precedes(entries[least]) {
                least = child
            }
            guard least != parent else { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
