import Postgres

/// What those who watch the fleet are told: the row of the view `status`, and what stands beside it.
public struct FleetFigures: Sendable {
    public let status: FleetStatus
    /// How full PostgreSQL's queue of notifications is, from 0 to 1.
    public let notifyQueueUsage: Double
    /// When the last full sweep ended, in seconds since 1970; `nil`: none has.
    public let sweptAtSeconds: Double?
    /// Whether a user may be tried just now, to see whether the account works again.
    public let isProbeDue: Bool

    public init(status: FleetStatus, notifyQueueUsage: Double, sweptAtSeconds: Double?, isProbeDue: Bool) {
        self.status = status
        self.notifyQueueUsage = notifyQueueUsage
        self.sweptAtSeconds = sweptAtSeconds
        self.isProbeDue = isProbeDue
    }
}

extension Store {
    /// Reads the figures: a few milliseconds, however many users there are.
    public func figures() async throws(StoreError) -> FleetFigures {
        let status = try await FleetStatus.read(in: session)
        guard let beside = try await query(Store.figuresBeside).first else {
            throw StoreError(
                .schema, "The table subscriber_sync.sweep has lost its rows.",
                hint: "INSERT INTO subscriber_sync.sweep (kind) VALUES ('full'), ('recent');")
        }
        return FleetFigures(
            status: status, notifyQueueUsage: beside.queueUsage, sweptAtSeconds: beside.sweptAt,
            isProbeDue: beside.isProbeDue)
    }

    /// What the view doesn't have.
    struct FiguresBeside: Sendable {
        let queueUsage: Double
        let sweptAt: Double?
        let isProbeDue: Bool
    }

    static let figuresBeside = Statement<FiguresBeside>(
        "figures_beside",
        """
        SELECT pg_notification_queue_usage(), extract(epoch FROM s.finished_at)::double precision,
            coalesce(c.pause_kind = 'account' AND c.probe_at <= now(), false)
        FROM subscriber_sync.control c, subscriber_sync.sweep s WHERE s.kind = 'full'
        """
    ) { row throws(PostgresError) in
        FiguresBeside(
            queueUsage: try row.double(0), sweptAt: try row.optionalDouble(1), isProbeDue: try row.boolean(2))
    }
}
