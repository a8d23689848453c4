import FoundationEssentials

extension SandboxOptions.Credentials {
    /// The project id of a request with HTTP Basic credentials that are let in; `nil` for all others.
    ///
    /// - Parameter header: the value of `Authorization`.
    func projectID(from header: String?) -> String? {
        guard let header, let space = header.firstIndex(of: " "), header[..<space].lowercased() == "basic",
            let decoded = Data(base64Encoded: String(header[header.index(after: space)...])),
            let pair = String(validating: decoded, as: UTF8.self), let colon = pair.firstIndex(of: ":")
        else { return nil }
        let projectID = String(pair[..<colon])
        let apiToken = String(pair[pair.index(after: colon)...])
        return accepts(projectID, apiToken) ? projectID : nil
    }

    private func accepts(_ projectID: String, _ apiToken: String) -> Bool {
        switch self {
        case .anyNonEmpty: !projectID.isEmpty && !apiToken.isEmpty
        case .pair(let expectedID, let expectedToken): projectID == expectedID && apiToken == expectedToken
        }
    }
}
