import Testing

@testable import Postgres
@testable import SyncCommands

/// What names a database, and what comes out of one.
extension FuzzTests {
    private static let secret = "Planted0Secret9"

    private static let strings = [
        "postgresql://ada:\(secret)@db.example:5432/app?sslmode=require&sslpassword=\(secret)",
        "postgres://ada:\(secret)@[::1]:5432,other:5433/app?connect_timeout=10", "postgresql:///app?host=/run/x",
        "host=db user=ada password=\(secret) dbname=app", "host=db password='\(secret) \\' x' port=5432", "service=x",
    ]
    private static let tokens = [
        "@", ":", "/", "?", "&", "=", "%", "%40", "%00", "%zz", "'", "\\", " ", "[", "]", ",", "postgresql://", "host=",
        "password=", "sslpassword=", "dbname=", "#", "\n", secret,
    ]

    @Test("in a connection string is read, or refused without a word of the password")
    func connectionStrings() {
        FuzzRun.over("connection strings") { input in
            let text = input.text(from: Self.strings, tokens: Self.tokens, limit: 4000)
            do throws(PostgresError) {
                _ = try ConnectionSettings(dsn: text, applicationName: "fuzz").validated()
            } catch {
                let shown = "\(error) \(String(reflecting: error)) \(error.hint ?? "")"
                return shown.holds(Self.secret) ? .broken("\(shown) of \(text.debugDescription)") : .held
            }
            _ = ConnectionString.withoutSecrets(text)
            return .held
        }
    }

    /// A password is what people paste; its special characters make libpq take its parts for something else.
    @Test("in a password, percent-encoded or not, shows neither in an error, nor in a target, nor in config")
    func passwords() {
        FuzzRun.over("passwords") { input in
            let password = Self.password(&input)
            let (host, name) = (input.pick(["db", "db:5432", "[::1]:1", "a,b:2", ""]), input.pick(["/app", "", "/"]))
            let options = input.pick(["", "?sslmode=require", "?application_name=x&connect_timeout=3"])
            let text = input.pick([
                "postgresql://ada:\(password)@\(host)\(name)\(options)", "postgres://:\(password)@\(host)\(name)",
                "host=db user=ada password=\(password)", "host=db password='\(password)' user=ada",
                "password = \(password) host=db",
            ])
            let settings = ConnectionSettings(dsn: text, applicationName: "fuzz")
            var shown = "\(settings.target) \(settings) \(ConnectionString.withoutSecrets(text)) "
            do throws(PostgresError) {
                shown += try settings.validated().description
            } catch {
                shown += "\(error) \(String(reflecting: error)) \(error.hint ?? "")"
            }
            return shown.holds(Self.secret) ? .broken("\(shown) of \(text.debugDescription)") : .held
        }
    }

    /// The secret with some of what passwords have around it.
    private static func password(_ input: inout FuzzInput) -> String {
        let marks = ["@", ":", "/", "%", "%4", "%40", "!", "1", "12", "a", "é", "$", ",", "[", "]", "#", "+", ".", "-"]
        let side = { (input: inout FuzzInput) in (0..<input.int(0...4)).map { _ in input.pick(marks) }.joined() }
        let (before, after) = (side(&input), side(&input))
        return before + secret + after
    }

    @Test("in an array's text is read back as it was written, or not read")
    func arrays() {
        FuzzRun.over("arrays") { input in
            let samples = ["{1,NULL,\"a \\\"b\\\"\"}", "{}", "[0:1]={a,b}", "{{1},{2}}"]
            _ = ArrayText.elements(
                of: input.bytes(from: samples, tokens: ["{", "}", ",", "\"", "\\", "NULL", "=", "["]))
            var elements: [String?] = []
            for _ in 0..<input.int(0...6) { elements.append(input.once(in: 5) ? nil : input.anyText()) }
            let written = ArrayText.literal(elements)
            let read = ArrayText.elements(of: written.utf8)
            guard let read, read.map({ $0.map { Array($0.utf8) } }) == elements.map({ $0.map { Array($0.utf8) } })
            else {
                return .broken(written.debugDescription)
            }
            return .held
        }
    }
}
