import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension SettingsLoader {
    /// The loader over this process's own variables and files: the one place that looks at them.
    static var ofThisProcess: SettingsLoader {
        SettingsLoader(environment: ProcessInfo.processInfo.environment) { path throws(FileProblem) in
            try contents(of: path)
        }
    }

    /// A file's bytes. Read by the system's own calls: they read pipes too (`--config <(…)`), stop at the
    /// limit even where a device never ends, and say why a file can't be read.
    static func contents(of path: String) throws(FileProblem) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem(errno) }
        defer { close(descriptor) }
        let limit = FileProblem.largestKiB * 1024
        var bytes: [UInt8] = []
        while true {
            let part = try SettingsLoader.part(of: descriptor)
            guard !part.isEmpty else { return bytes }
            bytes += part
            guard bytes.count <= limit else { throw .tooLarge }
        }
    }

    /// The next bytes; none at the end.
    private static func part(of descriptor: Int32) throws(FileProblem) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count >= 0 { return Array(buffer.prefix(count)) }
            guard errno == EINTR else { throw FileProblem(errno) }
        }
    }
}

extension FileProblem {
    fileprivate init(_ code: Int32) {
        switch code {
        case ENOENT, ENOTDIR: self = .missing
        case EACCES, EPERM: self = .forbidden
        case EISDIR: self = .folder
        case _: self = .unreadable
        }
    }
}
