/// A safeguard of the store's that is taken away, to prove that this program would see it.
///
/// It is taken away in the database, by triggers on our own tables: so the very program that is delivered runs, and
/// no switch for mistakes is in it.
enum Sabotage: String, CaseIterable {
    /// Every lease has the same token, so a late settlement is taken for that of whoever holds the lease now.
    case noFence = "no-fence"
    /// A settlement that finds its lease lost leaves the user alone.
    case noRedirty = "no-redirty"
    /// The admission is written down with the answer, not before the call.
    case referenceNotWrittenAhead = "reference-not-written-ahead"
    /// A lease ends as soon as it is taken.
    case noLease = "no-lease"
    /// Whoever takes over an ended lease has no doubt about what became of the call.
    case noDoubt = "no-doubt"
    /// One in fifty changes isn't noted.
    case lostChanges = "lost-changes"
    /// A settlement ends the wish even where a newer one came meanwhile.
    case noVersion = "no-version"
    /// The log table gets a profile's value.
    case leak

    var sql: String {
        switch self {
        case .noFence:
            // The sequence has one value: 1, then 3, which is beyond its end, so 1 again.
            "ALTER SEQUENCE subscriber_sync.lease INCREMENT 2 MINVALUE 1 MAXVALUE 2 START 1 RESTART CYCLE"
        case .noRedirty:
            Sabotage.onUpdate(
                """
                IF NEW.lease IS NOT DISTINCT FROM OLD.lease AND NEW.wanted = OLD.wanted + 1
                    AND current_query() LIKE '%lease_lost%' THEN RETURN NULL; END IF;
                """)
        case .referenceNotWrittenAhead:
            Sabotage.onUpdate(
                """
                IF OLD.admitted_at IS NULL AND NEW.admitted_at IS NOT NULL AND NEW.subscriber_id IS NULL THEN
                    NEW.admitted_at := NULL;
                ELSIF OLD.admitted_at IS NULL AND OLD.subscriber_id IS NULL AND NEW.subscriber_id IS NOT NULL THEN
                    NEW.admitted_at := now();
                END IF;
                """)
        case .noLease:
            Sabotage.onWrite("IF NEW.lease IS DISTINCT FROM OLD.lease THEN NEW.due_at := now(); END IF;")
        case .noDoubt:
            Sabotage.onUpdate(
                """
                IF OLD.lease IS NOT NULL AND NEW.lease IS NOT NULL AND NEW.lease <> OLD.lease THEN
                    NEW.doubted_until := OLD.doubted_until; NEW.told := OLD.told;
                END IF;
                """)
        case .lostChanges:
            """
            CREATE FUNCTION subscriber_sync.sabotage() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF random() < 0.02 THEN RETURN NULL; END IF; RETURN NEW; END $$;
            CREATE TRIGGER sabotage BEFORE INSERT ON subscriber_sync.change
            FOR EACH ROW EXECUTE FUNCTION subscriber_sync.sabotage()
            """
        case .noVersion:
            Sabotage.onUpdate(
                """
                IF OLD.lease IS NOT NULL AND NEW.lease IS NULL AND NEW.standing = 'synced' AND NEW.due_at = now() THEN
                    NEW.due_at := NULL;
                END IF;
                """)
        case .leak:
            """
            CREATE FUNCTION subscriber_sync.sabotage() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.error := 'Plantedtitle A'; RETURN NEW; END $$;
            CREATE TRIGGER sabotage BEFORE INSERT ON subscriber_sync.log
            FOR EACH ROW EXECUTE FUNCTION subscriber_sync.sabotage()
            """
        }
    }

    private static func onUpdate(_ body: String) -> String { trigger("UPDATE", body) }
    private static func onWrite(_ body: String) -> String { trigger("INSERT OR UPDATE", body) }

    private static func trigger(_ events: String, _ body: String) -> String {
        """
        CREATE FUNCTION subscriber_sync.sabotage() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN \(body) RETURN NEW; END $$;
        CREATE TRIGGER sabotage BEFORE \(events) ON subscriber_sync.subscriber
        FOR EACH ROW EXECUTE FUNCTION subscriber_sync.sabotage()
        """
    }
}
