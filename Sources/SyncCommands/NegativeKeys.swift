/// Keys that are negative numbers, on a command line.
///
/// The parser takes `-5` for an option, and no option of ours is a number. So such an argument is written in the way
/// that the parser takes for a value: `--user=-5`, or behind `--`.
enum NegativeKeys {
    /// The arguments as the parser reads them rightly.
    static func escaped(in arguments: [String]) -> [String] {
        let given = arguments.prefix { $0 != "--" }
        guard given.contains(where: isNegative) else { return arguments }
        var result: [String] = []
        var positional: [String] = []
        var isNamingUsers = false
        for argument in given {
            if isNegative(argument) {
                if isNamingUsers { result.append("--user=\(argument)") } else { positional.append(argument) }
            } else {
                if argument.hasPrefix("--") { isNamingUsers = argument == "--user" || argument.hasPrefix("--user=") }
                result.append(argument)
            }
        }
        let bare = result.indices.filter { index in
            let next = index + 1 < result.count ? result[index + 1] : ""
            return result[index] == "--user" && next.hasPrefix("--user=")
        }
        for index in bare.reversed() { result.remove(at: index) }
        let behind = positional + arguments[given.endIndex...].dropFirst()
        return behind.isEmpty ? result : result + ["--"] + behind
    }

    private static func isNegative(_ argument: String) -> Bool {
        argument.hasPrefix("-") && argument.count > 1 && argument.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
    }
}
