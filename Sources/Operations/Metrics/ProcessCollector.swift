#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes what the kernel says of this process. What it doesn't say is left out.
struct ProcessCollector: Sendable {
    func collect(into exposition: inout Exposition) {
        var usage = rusage()
        #if os(Linux) && canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        exposition.add(MetricTable.processCPU, seconds(usage.ru_utime) + seconds(usage.ru_stime))
        if let memory = residentBytes() { exposition.add(MetricTable.processMemory, memory) }
        if let start = startSeconds() { exposition.add(MetricTable.processStart, start) }
        if let files = openFiles() { exposition.add(MetricTable.processFiles, Double(files)) }
        let most = sysconf(Int32(_SC_OPEN_MAX))
        if most > 0 { exposition.add(MetricTable.processMostFiles, Double(most)) }
    }

    private func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// The second number of `statm`, in pages.
    private func residentBytes() -> Double? {
        guard let pages = text(of: "/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
        else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Field 22 of `stat`, in ticks since the machine began; the name before it, in brackets, may hold blanks.
    private func startSeconds() -> Double? {
        guard let stat = text(of: "/proc/self/stat"), let bracket = stat.lastIndex(of: ")"),
            let ticks = stat[bracket...].split(separator: " ").dropFirst(20).first.flatMap({ Double($0) }),
            let boot = text(of: "/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let booted = Double(boot.dropFirst("btime ".count))
        else { return nil }
        return booted + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private func openFiles() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Itself, `.` and `..` aside.
        return max(0, count - 3)
    }

    private func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 8192)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &part, part.count)
            guard count > 0 else { break }
            bytes += part.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
