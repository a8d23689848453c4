// swift-tools-version: 6.2

import PackageDescription

/// With SUBSCRIBER_SYNC_SEE_INSIDE set, a release build lets the microbenchmarks see what is internal, as tests do in a debug
/// build.
let inside: [SwiftSetting] =
    Context.environment["SUBSCRIBER_SYNC_SEE_INSIDE"] == nil ? [] : [.unsafeFlags(["-enable-testing"])]

/// Every target is built in the Swift 6 language mode, and a warning is an error.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ] + inside

/// The Swift runtime asks the linker to export every symbol, and what is exported is never dropped as unused. Nobody loads
/// anything into this program, so nothing needs to be found by name; it makes a static one ten percent smaller.
let lean = LinkerSetting.unsafeFlags(
    ["-Xlinker", "--no-export-dynamic"], .when(platforms: [.linux], configuration: .release))

/// Everything at the top level that the target `Migrations`, whose root is the package, leaves alone.
let besidesMigrations = [
    "Package.swift", "README.md", "LICENSE", "Tests", "deploy",
    "Sources/CLibPQ", "Sources/CYAML", "Sources/Operations", "Sources/Postgres", "Sources/SignalWire",
    "Sources/SignalWireSandbox", "Sources/SyncAgent", "Sources/SyncCommands", "Sources/SyncCore",
    "Sources/SyncStore", "Sources/YAML", "Sources/subscriber-sync",
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioConcurrency = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "subscriber-sync",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "subscriber-sync", targets: ["subscriber-sync"]),
        // For Tests/Benchmarks, which is a package of its own.
        .library(name: "SyncParts", targets: ["Postgres", "SignalWire", "SyncCore", "SyncStore"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "Postgres", dependencies: ["CLibPQ"], swiftSettings: strict),
        .target(name: "YAML", dependencies: ["CYAML"], swiftSettings: strict),
        .target(name: "SyncCore", swiftSettings: strict),
        .target(
            name: "Migrations",
            path: ".",
            exclude: besidesMigrations,
            sources: ["Sources/Migrations"],
            resources: [.embedInCode("migrations")],
            swiftSettings: strict
        ),
        .target(
            name: "SyncStore", dependencies: ["Migrations", "Postgres", "SyncCore", crypto],
            swiftSettings: strict),
        .target(
            name: "SignalWire", dependencies: ["SyncCore", asyncHTTPClient, nioCore, nioHTTP1, nioPosix],
            swiftSettings: strict),
        .target(
            name: "SignalWireSandbox",
            dependencies: [hummingbird, logging, nioConcurrency, nioCore, nioPosix, serviceLifecycle],
            swiftSettings: strict),
        .target(
            name: "SyncAgent",
            dependencies: [
                "Postgres", "SignalWire", "SyncCore", "SyncStore", logging, metrics, nioConcurrency, serviceLifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "Operations",
            dependencies: [
                "SyncAgent", "SyncCore", "SyncStore", crypto, hummingbird, logging, metrics, nioCore, serviceLifecycle,
            ],
            resources: [.embedInCode("Page")],
            swiftSettings: strict),
        .target(
            name: "SyncCommands",
            dependencies: [
                "Migrations", "Operations", "Postgres", "SignalWire", "SignalWireSandbox", "SyncAgent", "SyncCore",
                "SyncStore", "YAML", argumentParser, configuration, logging, serviceLifecycle, unixSignals,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "subscriber-sync", dependencies: ["SyncCommands"], swiftSettings: strict,
            linkerSettings: [lean]),

        .target(
            name: "TestSupport", dependencies: ["Migrations", "Postgres", "SyncCore", "SyncStore", crypto],
            path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "SyncSimulation", dependencies: ["SyncCore"], path: "Tests/SyncSimulation", swiftSettings: strict),
        .executableTarget(
            name: "Chaos",
            dependencies: ["Postgres", "SignalWireSandbox", "SyncCore", "TestSupport", argumentParser],
            path: "Tests/Chaos", swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(name: "YAMLTests", dependencies: ["YAML"], swiftSettings: strict),
        .testTarget(name: "SyncCoreTests", dependencies: ["SyncCore", "SyncSimulation"], swiftSettings: strict),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SyncStoreTests",
            dependencies: ["Migrations", "Postgres", "SyncCore", "SyncSimulation", "SyncStore", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "SignalWireTests", dependencies: ["SignalWire", "SyncCore", nioCore, nioPosix, nioHTTP1],
            swiftSettings: strict),
        .testTarget(
            name: "SignalWireSandboxTests", dependencies: ["SignalWireSandbox", logging, serviceLifecycle],
            exclude: ["PythonSDK"], swiftSettings: strict),
        .testTarget(
            name: "SyncAgentTests",
            dependencies: [
                "Migrations", "Postgres", "SignalWire", "SignalWireSandbox", "SyncAgent", "SyncCore", "SyncStore",
                "TestSupport", logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OperationsTests",
            dependencies: [
                "Operations", "Postgres", "SyncAgent", "SyncCore", "SyncStore", "TestSupport", hummingbird, logging,
                metrics, nioCore,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SyncCommandsTests",
            dependencies: [
                "Migrations", "Postgres", "SignalWire", "SignalWireSandbox", "SyncCommands", "SyncCore", "SyncStore",
                "TestSupport", "YAML", logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "Operations", "Postgres", "SignalWire", "SignalWireSandbox", "SyncCommands", "SyncCore", argumentParser,
                nioHTTP1,
            ],
            path: "Tests/Fuzz", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
