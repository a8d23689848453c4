import Glibc

/// What the relay's thread does, turn by turn. Only that thread touches it.
final class RelayLoop: @unchecked Sendable {
    struct Listener: Sendable {
        let way: Relay.Way
        let descriptor: Int32
        let port: Int
        let target: Int
    }

    private let listeners: [Listener]
    private let journal: CallJournal
    private var links: [RelayLink] = []

    init(listeners: [Listener], journal: CallJournal) {
        self.listeners = listeners
        self.journal = journal
    }

    /// Waits a moment for something to pass, and passes it on.
    func turn(_ orders: Relay.Orders) {
        for link in links where orders.losses.contains(link.way) { link.isLost = true }
        if orders.endsLosses { for link in links where link.isLost { reset(link) } }
        var watched = listeners.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        for link in links { watched += link.watched(orders.moods[link.way] ?? Relay.Mood()) }
        guard poll(&watched, nfds_t(watched.count), 5) >= 0 else { return }
        let isReady = watched.map { $0.revents != 0 }
        for (index, link) in links.enumerated() {
            let place = listeners.count + 2 * index
            if isReady[place] { readClient(link) }
            if isReady[place + 1] { link.readServer() }
        }
        for link in links {
            if orders.resets.contains(link.way) { reset(link) }
            if link.flush(orders.moods[link.way] ?? Relay.Mood()) { end(link) }
        }
        links.removeAll { $0.isOver }
        for (index, listener) in listeners.enumerated() where isReady[index] {
            accept(at: listener, orders.moods[listener.way] ?? Relay.Mood())
        }
    }

    func closeAll() {
        for link in links { link.reset() }
        for listener in listeners { close(listener.descriptor) }
    }

    private func reset(_ link: RelayLink) {
        link.reset()
        end(link)
    }

    private func accept(at listener: Listener, _ mood: Relay.Mood) {
        guard let client = Sockets.accept(listener.descriptor) else { return }
        guard !mood.refuses, let server = Sockets.connect(to: listener.target) else { return Sockets.reset(client) }
        links.append(RelayLink(way: listener.way, client: client, server: server))
    }

    private func readClient(_ link: RelayLink) {
        guard let bytes = link.readClient() else { return end(link) }
        guard link.way.goal == .api, link.call == nil, let reference = link.request.take(bytes) else { return }
        // Whoever looks at the same turn might not have seen yet that an older call was given up.
        for other in links where other.call != nil && other.request.reference == reference && other.isClientGone() {
            end(other)
        }
        link.call = journal.began(by: link.way.agent, reference)
    }

    /// The agent has the answer, or has given the call up.
    private func end(_ link: RelayLink) {
        if let call = link.call { journal.ended(call) }
        link.call = nil
        link.request = RequestReading()
    }
}

/// One connection of an agent's, and what is on its way.
final class RelayLink {
    let way: Relay.Way
    private var client: Int32?
    private var server: Int32?
    private var up: [UInt8] = []
    private var down: [UInt8] = []
    private var serverWasReset = false
    /// Half-open for good.
    var isLost = false
    /// The call that the agent waits for.
    var call: CallJournal.Number?
    var request = RequestReading()

    init(way: Relay.Way, client: Int32, server: Int32) {
        self.way = way
        self.client = client
        self.server = server
    }

    var isOver: Bool { client == nil && server == nil }

    func isClientGone() -> Bool { client.map(Sockets.isGone) ?? true }

    /// The client's side, then the server's. A side that is gone isn't looked at.
    func watched(_ mood: Relay.Mood) -> [pollfd] {
        let toServer = !up.isEmpty && !mood.holdsUp && !isLost
        let toClient = !down.isEmpty && !mood.holdsDown && !isLost
        return [
            pollfd(fd: client ?? -1, events: Int16(POLLIN | (toClient ? POLLOUT : 0)), revents: 0),
            pollfd(fd: isLost ? -1 : server ?? -1, events: Int16(POLLIN | (toServer ? POLLOUT : 0)), revents: 0),
        ]
    }

    /// - Returns: `nil` where the agent has closed.
    func readClient() -> [UInt8]? {
        guard let descriptor = client else { return nil }
        switch Sockets.read(descriptor) {
        case .bytes(let bytes):
            up += bytes
            return bytes
        case .nothing: return []
        case .end, .broken:
            close(descriptor)
            client = nil
            return nil
        }
    }

    func readServer() {
        guard let descriptor = server else { return }
        switch Sockets.read(descriptor) {
        case .bytes(let bytes): down += bytes
        case .nothing: return
        case .end, .broken:
            serverWasReset = down.isEmpty
            close(descriptor)
            server = nil
        }
    }

    /// Passes on what may pass, and closings behind it.
    ///
    /// - Returns: whether the agent's call is over: it begins to get its answer, or the connection ends.
    func flush(_ mood: Relay.Mood) -> Bool {
        guard !isLost else { return false }
        if !mood.holdsUp { flushUp() }
        return !mood.holdsDown && flushDown()
    }

    /// A call that was given up may still arrive: what was sent is delivered before the closing.
    private func flushUp() {
        guard let descriptor = server else { return up = [] }
        if !up.isEmpty, let count = Sockets.write(up, to: descriptor) { up.removeFirst(count) }
        guard client == nil, up.isEmpty else { return }
        close(descriptor)
        server = nil
    }

    private func flushDown() -> Bool {
        guard let descriptor = client else { return false }
        var hasPassed = false
        if !down.isEmpty, let count = Sockets.write(down, to: descriptor), count > 0 {
            down.removeFirst(count)
            hasPassed = true
        }
        guard server == nil, down.isEmpty else { return hasPassed }
        serverWasReset ? Sockets.reset(descriptor) : { _ = close(descriptor) }()
        client = nil
        return true
    }

    func reset() {
        for descriptor in [client, server].compactMap({ $0 }) { Sockets.reset(descriptor) }
        (client, server) = (nil, nil)
    }
}
