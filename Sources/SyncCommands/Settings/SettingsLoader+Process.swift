import FoundationEssentials

extension SettingsLoader {
    /// The loader over this process's own variables and files: the one place that looks at them.
    static var ofThisProcess: SettingsLoader {
        SettingsLoader(environment: ProcessInfo.processInfo.environment) { path throws(FileProblem) in
            try contents(of: path)
        }
    }

    /// A file's bytes.
    static func contents(of path: String) throws(FileProblem) -> [UInt8] {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { throw .missing }
        guard !isFolder else { throw .folder }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw FileProblem(error)
        }
        guard data.count <= FileProblem.largestKiB * 1024 else { throw .tooLarge }
        return Array(data)
    }
}

extension FileProblem {
    fileprivate init(_ error: any Error) {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile: self = .missing
        case .fileReadNoPermission: self = .forbidden
        case _: self = .unreadable
        }
    }
}
