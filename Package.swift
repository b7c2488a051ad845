// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
let warnings: [CSetting] = [
    .define("_GNU_SOURCE"),
    .unsafeFlags(["-Wall", "-Wextra", "-Werror"]),
]

let package = Package(
    name: "faasd",
    products: [
        .executable(name: "faasd", targets: ["faasd"]),
        .executable(name: "faasctl", targets: ["faasctl"]),
        .executable(name: "faasd-spawner", targets: ["faasd-spawner"]),
        .executable(name: "faasd-userns", targets: ["faasd-userns"]),
        .library(name: "faasd-zygote", type: .dynamic, targets: ["CZygote"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    ],
    targets: [
        // The kernel side: one privileged C program, the header it shares with us, and our C shim.
        .target(name: "CSpawnerProtocol", cSettings: warnings),
        .target(name: "CBox", dependencies: ["CSpawnerProtocol"], cSettings: warnings),
        .executableTarget(name: "faasd-spawner", dependencies: ["CBox"], cSettings: warnings),
        // Loaded by an interpreter in a box, where nothing of Swift is: the linker drops what is not used.
        .target(
            name: "CZygote",
            dependencies: ["CBox"],
            cSettings: warnings,
            linkerSettings: [.unsafeFlags(["-static-stdlib", "-nostartfiles", "-Xlinker", "--as-needed"])]
        ),
        .executableTarget(name: "faasd-userns", cSettings: warnings),
        .target(
            name: "CSandbox",
            dependencies: ["CSpawnerProtocol"],
            cSettings: warnings,
            linkerSettings: [.linkedLibrary("seccomp"), .linkedLibrary("cap")]
        ),
        .target(name: "Sandbox", dependencies: ["CSandbox", "CSpawnerProtocol"], swiftSettings: strict),

        // Money and names, each over its own database file.
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(name: "SQLite", dependencies: ["CSQLite"], swiftSettings: strict),
        .target(
            name: "Billing",
            dependencies: ["SQLite", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        .target(
            name: "Catalog",
            dependencies: ["SQLite", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),

        // One call from admission to settlement.
        .target(
            name: "Invoker",
            dependencies: [
                "Sandbox", "Billing", "Catalog",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),

        .executableTarget(
            name: "faasd",
            dependencies: [
                "Invoker", "Sandbox", "Billing", "Catalog",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        // The command line speaks HTTP and knows nothing of the daemon's insides.
        .target(
            name: "FaasClient",
            dependencies: [
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "faasctl",
            dependencies: ["FaasClient", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict
        ),

        // `make bench`.
        .executableTarget(
            name: "ledger-bench",
            dependencies: ["Billing"],
            path: "Benchmarks/Ledger",
            swiftSettings: strict
        ),

        .executableTarget(
            name: "sandbox-bench",
            dependencies: ["Sandbox"],
            path: "Benchmarks/Sandbox",
            swiftSettings: strict
        ),

        // A ledger under load for Tests/Ledger, which kills it, fails its disk, and looks at what is left; not shipped.
        .executableTarget(
            name: "ledger-driver",
            dependencies: ["Billing", "SQLite"],
            path: "Tests/LedgerDriver",
            swiftSettings: strict
        ),

        // Measures how fast a ledger is audited; no part of the product.
        .executableTarget(
            name: "audit-bench",
            dependencies: ["Billing"],
            path: "Benchmarks/audit",
            swiftSettings: strict
        ),

        .testTarget(name: "SQLiteTests", dependencies: ["SQLite"], swiftSettings: strict),
        .testTarget(
            name: "BillingTests",
            dependencies: ["Billing", "SQLite"],
            exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(name: "CatalogTests", dependencies: ["Catalog", "SQLite"], swiftSettings: strict),
        .testTarget(
            name: "SandboxTests",
            dependencies: [
                "Sandbox", "Invoker", "CSandbox", "CSpawnerProtocol", "faasd-spawner",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "InvokerTests",
            dependencies: ["Invoker", "Billing", "Sandbox", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "FaasdTests",
            dependencies: [
                "faasd", "Billing", "Invoker",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "FaasctlTests",
            dependencies: [
                "faasctl", "FaasClient", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        // Reads the sources and documents themselves.
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
