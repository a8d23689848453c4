import Foundation
import Postgres
import TestSupport
import Testing

@Suite("Connecting")
struct ConnectingTests {
    /// A server that asks for a password, by TCP.
    private static func withGuardedServer(_ body: (Int) async throws -> Void) async throws {
        let rules = FileManager.default.temporaryDirectory.appending(path: "hba-\(UUID().uuidString)")
        try Data("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n".utf8).write(to: rules)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: rules.path)
        defer { try? FileManager.default.removeItem(at: rules) }
        let server = try await PostgresServer.start(extraConfiguration: ["hba_file": rules.path])
        let session = Session(server.database(named: "postgres").settings)
        try await session.executeScript(
            "CREATE ROLE app LOGIN PASSWORD 'right p@ss'; CREATE ROLE shut NOLOGIN PASSWORD 'right';", name: "roles")
        await session.close()
        try await body(try #require(server.port))
        try await server.stop(mode: .immediate)
    }

    private func error(connectingTo dsn: String) async throws -> PostgresError {
        try await #require(
            failure { () throws(PostgresError) in
                try await Connection.open(ConnectionSettings(dsn: dsn, applicationName: "test"))
            })
    }

    @Test("A password is asked for, refused if it is wrong, never shown, and accepted if it is right")
    func password() async throws {
        try await ConnectingTests.withGuardedServer { port in
            let address = "127.0.0.1:\(port)/postgres"
            let wrong = try await error(connectingTo: "postgresql://app:planted@\(address)")
            #expect(wrong.code == .authenticationFailed)
            #expect(wrong.sqlState == "28P01")
            #expect(wrong.message.contains("host 127.0.0.1 port \(port) database postgres user app"))
            #expect(wrong.hint != nil && !everyForm(of: wrong).contains("planted"))
            let missing = try await error(connectingTo: "postgresql://app@\(address)?passfile=/nonexistent")
            #expect(missing.code == .authenticationFailed)
            #expect(missing.message.contains("asks for a password"))
            let shut = try await error(connectingTo: "postgresql://shut:right@\(address)")
            #expect(shut.code == .authenticationFailed && shut.sqlState == "28000")
            let right = ConnectionSettings(dsn: "postgresql://app:right%20p%40ss@\(address)", applicationName: "test")
            let connection = try await Connection.open(right)
            #expect(connection.isOpen && connection.backendPID > 0 && connection.serverVersion > 120_000)
            await connection.close()
        }
    }

    @Test("Where nobody listens, it says so and what to do")
    func nobody() async throws {
        for dsn in ["postgresql://app:planted@127.0.0.1:1/d", "host=/nonexistent dbname=d password=planted"] {
            let error = try await error(connectingTo: dsn)
            #expect(error.code == .connectionFailed)
            #expect(error.isConnectionLoss)
            #expect(error.hint?.contains("Start the server") == true)
            #expect(!everyForm(of: error).contains("planted"))
        }
    }

    @Test(
        "A port that is none is a mistake of the settings, by any way of writing it, and is not quoted",
        arguments: [
            "postgresql://u:planted@h:99999/d", "postgresql://u:planted@h:0/d", "postgresql://a:1,b:65536/d",
            "host=h port=70000 password=planted", "host=h port=planted", "host=h port=-1",
        ])
    func port(dsn: String) {
        let error = #expect(throws: PostgresError.self) {
            try ConnectionSettings(dsn: dsn, applicationName: "test").validated()
        }
        #expect(error?.code == .invalidSettings && error?.message.contains("port") == true)
        #expect(error?.hint != nil && error.map { !everyForm(of: $0).contains("planted") } == true)
    }

    @Test("Ports for several hosts are right", arguments: ["host=a,b port=1,65535", "host=a,b port=5432,", "host=a"])
    func ports(dsn: String) throws { try ConnectionSettings(dsn: dsn, applicationName: "test").validated() }

    @Test("A database that does not exist, and a role that does not, are told apart")
    func missing() async throws {
        let server = try await PostgresServer.shared()
        let database = try await error(connectingTo: server.database(named: "nowhere").tcpDSN)
        #expect(database.sqlState == "3D000")
        #expect(database.message.contains("database \"nowhere\" does not exist"))
        let role = try await error(connectingTo: server.database(named: "postgres").dsn + "&user=nobody_at_all")
        #expect(role.sqlState == "28000")
    }

    @Test("A server that accepts and says nothing is given up after the connect timeout")
    func silent() async throws {
        let listener = try StallingProxy(to: 1, isStalled: true)
        defer { listener.stop() }
        var settings = ConnectionSettings(
            dsn: "postgresql://u@127.0.0.1:\(listener.port)/d?sslmode=disable", applicationName: "test")
        settings.connectTimeout = .milliseconds(200)
        let error = await failure { () throws(PostgresError) in try await Connection.open(settings) }
        #expect(error?.code == .connectionFailed)
        #expect(error?.message.contains("within 200 ms") == true)
    }

    @Test("Connecting is cancelled with its task")
    func cancelled() async throws {
        let listener = try StallingProxy(to: 1, isStalled: true)
        defer { listener.stop() }
        let settings = ConnectionSettings(
            dsn: "postgresql://u@127.0.0.1:\(listener.port)/d?sslmode=disable", applicationName: "test")
        let task = Task { await failure { () throws(PostgresError) in try await Connection.open(settings) } }
        await eventually("the connection is accepted") { listener.acceptedCount == 1 }
        task.cancel()
        #expect(await task.value?.code == .cancelled)
    }

    @Test(
        "An unreadable connection string is refused without being quoted",
        arguments: [
            "planted", "postgresql://u:pl%anted@h/d", "postgresql://u:p@planted@h/d", "postgresql://u:p/planted@h/d",
            "postgresql://u@h/d?planted=1", "host=h 'planted", "host=h planted=x", "postgresql://u@[planted/d",
            "postgresql://u@h:planted/d", "host=h\0planted",
            "postgresql://u:@planted,@h/d", "postgresql://u:@@planted@h", "postgresql://@planted,@h",
            "postgres://:,[/planted.,@[::1]:1", "postgres://:,[?a/planted,@[::1]:1", "postgresql://u:/planted@h",
        ])
    func unreadable(dsn: String) async throws {
        let settings = ConnectionSettings(dsn: dsn, applicationName: "test")
        #expect(throws: PostgresError.self) { try settings.validated() }
        let error = try await error(connectingTo: dsn)
        #expect(error.code == .invalidSettings)
        #expect(error.hint?.contains("postgresql://USER@HOST") == true)
        #expect(!everyForm(of: error).contains("planted") && !settings.target.contains("planted"))
    }

    @Test("The target shows what may be shown")
    func target() throws {
        let uri = ConnectionSettings(dsn: "postgresql://app:planted@db.example:5433/main", applicationName: "test")
        #expect(uri.target == "host db.example port 5433 database main user app")
        let pairs = ConnectionSettings(
            dsn: "host=/run/pg port=1 dbname='a b' user=u password=planted", applicationName: "test")
        #expect(pairs.target == "host /run/pg port 1 database a b user u")
        #expect(try uri.validated().database == "main")
        for dsn in [
            "postgresql://u@%40socket/d", "postgresql:///d?host=@socket&user=u", "host=@socket user=u dbname=d",
        ] {
            let abstract = ConnectionSettings(dsn: dsn, applicationName: "test")
            #expect(abstract.target.contains("host @socket ") && abstract.target.contains("user u"))
        }
    }

    @Test("The session is set up, and the DSN may name the application")
    func setUp() async throws {
        try await withSession { session, database in
            let expected = [
                ("statement_timeout", "30s"), ("lock_timeout", "10s"), ("idle_in_transaction_session_timeout", "30s"),
                ("row_security", "off"), ("client_encoding", "UTF8"), ("client_min_messages", "warning"),
                ("TimeZone", "UTC"), ("DateStyle", "ISO, MDY"), ("standard_conforming_strings", "on"),
                ("search_path", "pg_catalog, pg_temp"), ("application_name", "subscriber-sync tests"),
            ]
            for (name, value) in expected {
                let rows = try await session.query(text("SELECT current_setting($1)"), [.text(name)])
                #expect(rows == [value], "\(name)")
            }
            let named = Session(
                ConnectionSettings(dsn: database.dsn + "&application_name=mine", applicationName: "ours"))
            let rows = try await named.query(text("SHOW application_name"))
            #expect(rows == ["mine"])
            await named.close()
        }
    }

    @Test("Too many connections is an error of its own")
    func exhausted() async throws {
        try await withDatabase { database in
            let admin = Session(database.settings)
            try await admin.executeScript("CREATE ROLE \(database.name)_app LOGIN CONNECTION LIMIT 0", name: "role")
            let error = try await error(connectingTo: "\(database.dsn)&user=\(database.name)_app")
            #expect(error.code == .tooManyConnections)
            #expect(error.isConnectionLoss)
            try await admin.executeScript("DROP ROLE \(database.name)_app", name: "drop role")
            await admin.close()
        }
    }
}
