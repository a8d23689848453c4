import FoundationEssentials

/// The answers that faults give instead of the right one.
extension Answer {
    /// An error of the fault's making, in the shape that the API has for that status.
    static func fault(
        _ status: Int, code: String?, message: String?, attribute: String?, retryAfter: FaultEffect.RetryAfter?
    ) -> Answer {
        let headers = retryAfter.map { [(name: "Retry-After", value: $0.headerValue(at: Date()))] } ?? []
        guard let code = code ?? defaultCode(status) else {
            return Answer(status, json: ShortError(error: message ?? reason(status)), headers: headers)
        }
        let item = ErrorItem(
            type: errorType(status), code: code, message: message ?? "The sandbox was told to answer \(code).",
            attribute: attribute)
        return Answer(status, json: ErrorList(errors: [item]), headers: headers)
    }

    static func html(_ status: Int) -> Answer {
        let title = "\(status) \(reason(status))"
        let page = "<html>\r\n<head><title>\(title)</title></head>\r\n<body><h1>\(title)</h1></body>\r\n</html>\r\n"
        return Answer(status, body: Data(page.utf8), headers: [("Content-Type", "text/html")])
    }

    static func redirect(to location: String) -> Answer {
        Answer(302, headers: [("Location", location)])
    }

    /// The same answer with white space after its JSON, which is allowed and only costs memory.
    func padded(by bytes: Int) -> Answer {
        var padded = self
        padded.body.append(Data(repeating: UInt8(ascii: " "), count: bytes))
        return padded
    }

    /// The same answer with its JSON spoilt.
    func malformed() -> Answer {
        var spoilt = self
        spoilt.body = Data("{\"subscriber_id\": \"".utf8)
        return spoilt
    }

    /// Statuses whose body at SignalWire is the short one have no code.
    private static func defaultCode(_ status: Int) -> String? {
        switch status {
        case 401, 403, 404, 500...: nil
        case 429: "rate_limit_exceeded"
        default: "invalid_parameter"
        }
    }

    private static func errorType(_ status: Int) -> String {
        switch status {
        case 429: "rate_limit_error"
        case 401, 402, 403: "account_error"
        case 500...: "server_error"
        default: "validation_error"
        }
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Error"
        }
    }
}

extension FaultEffect.RetryAfter {
    /// The header's value.
    func headerValue(at now: Date) -> String {
        switch self {
        case .seconds(let seconds): String(seconds)
        case .date(let seconds): HTTPDate.string(now.addingTimeInterval(Double(seconds)))
        }
    }
}

/// Dates as HTTP headers have them (RFC 9110, section 5.6.7), always in English and in GMT.
enum HTTPDate {
    static func string(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second, .weekday], from: date)
        guard let year = parts.year, let month = parts.month, let day = parts.day, let hour = parts.hour,
            let minute = parts.minute, let second = parts.second, let weekday = parts.weekday
        else { return "" }
        let time = [hour, minute, second].map(twoDigits).joined(separator: ":")
        return "\(weekdays[weekday - 1]), \(twoDigits(day)) \(months[month - 1]) \(year) \(time) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : String(number)
    }
}
