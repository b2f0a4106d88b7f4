// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "proctor",
  products: [
    .executable(name: "proctor", targets: ["proctor"]),
    .library(name: "ProctorEngine", targets: ["ProctorEngine"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"6.0.0"),
  ],
  targets: [
    .target(name: "ProctorModel", swiftSettings: settings),
    .systemLibrary(
      name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    .systemLibrary(
      name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .target(name: "CAttacks"),
    .target(name: "CSandbox", linkerSettings: [.linkedLibrary("seccomp")]),
    .target(
      name: "ProctorFormats", dependencies: ["ProctorModel", "CLibXML2", "CPCRE2"],
      resources: [
        .embedInCode("page/page.html"), .embedInCode("page/page.css"),
        .embedInCode("page/base.js"), .embedInCode("page/data.js"), .embedInCode("page/tests.js"),
        .embedInCode("page/detail.js"), .embedInCode("page/charts.js"),
        .embedInCode("page/views.js"), .embedInCode("page/live.js"),
        .embedInCode("page/questions.js"), .embedInCode("page/main.js"),
      ],
      swiftSettings: settings),
    .target(
      name: "ProctorSandbox", dependencies: ["ProctorModel", "CSandbox"], swiftSettings: settings),
    .target(
      name: "ProctorAdapters",
      dependencies: ["ProctorModel", "ProctorFormats", "TOMLKit"],
      path: "adapters",
      resources: [
        .embedInCode("native/guest/native_stacks.c"),
        .embedInCode("cargo/guest/libtest_channel.c"),
        .embedInCode("cargo/guest/function/harness.rs"),
        .embedInCode("cargo/guest/function/shim.rs"),
        .embedInCode("cargo/guest/function/root.rs"),
        .embedInCode("cargo/guest/function/rustc_library.sh"),
        .embedInCode("cargo/guest/function/frames.h"),
        .embedInCode("cargo/guest/function/function_host.c"),
        .embedInCode("cargo/guest/function/wasm_host.c"),
        .embedInCode("pytest/guest/function/proctor_host.py"),
        .embedInCode("pytest/guest/function/proctor_call.py"),
        .embedInCode("pytest/guest/function/proctor_call_restricted.py"),
        .embedInCode("pytest/guest/function/proctor_code.py"),
        .embedInCode("pytest/guest/function/proctor_piece.py"),
        .embedInCode("pytest/guest/function/proctor_matplotlib.py"),
        .embedInCode("jest/guest/function/proctor_call.mjs"),
        .embedInCode("jest/guest/function/proctor_code.cjs"),
        .embedInCode("jest/guest/function/proctor_guest.cjs"),
        .embedInCode("jest/guest/function/proctor_typescript.cjs"),
        .embedInCode("jest/guest/function/proctor_typescript_hooks.mjs"),
        .embedInCode("jest/guest/function/proctor_call_isolated.cjs"),
        .embedInCode("jest/guest/function/proctor_channel.cjs"),
        .embedInCode("jest/guest/function/proctor_core.cjs"),
        .embedInCode("jest/guest/function/proctor_vm.js"),
        .embedInCode("jest/guest/function/proctor_call_quickjs.py"),
        .embedInCode("pytest/guest/check/proctor_check.py"),
        .embedInCode("jest/guest/check/proctor_check.mjs"),
        .embedInCode("pytest/guest/proctor_pytest.py"),
        .embedInCode("jest/guest/proctor_jest_channel.js"),
        .embedInCode("jest/guest/proctor_jest_runner.js"),
        .embedInCode("jest/guest/proctor_jest_reporter.js"),
        .embedInCode("jest/guest/proctor_jest_watch.js"),
        .embedInCode("swift/guest/ProctorXCTestObserver.swift"),
        .embedInCode("swift/guest/function/ProctorHarness.swift"),
        .embedInCode("swift/guest/function/ProctorTiming.swift"),
        .embedInCode("swift/guest/function/traps.c"),
        .embedInCode("manifest/guest/relay.sh"),
        .embedInCode("manifest/shipped/bats.toml"),
        .embedInCode("manifest/shipped/ctest.toml"),
        .embedInCode("manifest/shipped/go.toml"),
        .embedInCode("manifest/shipped/maven.toml"),
        .embedInCode("manifest/shipped/mocha.toml"),
        .embedInCode("manifest/shipped/prove.toml"),
        .embedInCode("manifest/shipped/rspec.toml"),
        .embedInCode("manifest/shipped/unittest.toml"),
      ],
      swiftSettings: settings),
    .target(
      name: "ProctorEngine",
      dependencies: [
        "ProctorModel", "ProctorFormats", "ProctorSandbox", "ProctorSelfTest", "ProctorAdapters",
        "ProctorRules",
        "CSandbox",
        "TOMLKit",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: settings),
    .target(
      name: "ProctorRules", path: "rules", exclude: ["javascript", "python", "rust", "swift"],
      swiftSettings: settings, plugins: ["EmbedRules"]),
    .plugin(name: "EmbedRules", capability: .buildTool(), dependencies: ["embed-rules"]),
    .executableTarget(name: "embed-rules", swiftSettings: settings),
    .target(
      name: "ProctorSchemas", path: "docs/schema",
      exclude: [
        "compare.schema.json", "lint_report.schema.json", "report.schema.json",
        "selftest.schema.json",
      ],
      resources: [
        .embedInCode("audit.schema.json"),
        .embedInCode("benchmark.schema.json"),
        .embedInCode("check.schema.json"),
        .embedInCode("execute_code.schema.json"),
        .embedInCode("execute_function.schema.json"),
        .embedInCode("get_run.schema.json"),
        .embedInCode("list_tests.schema.json"),
        .embedInCode("run_all_tests.schema.json"),
        .embedInCode("run_test.schema.json"),
        .embedInCode("status.schema.json"),
        .embedInCode("validate_code.schema.json"),
      ],
      swiftSettings: settings),
    .target(
      name: "ProctorStorage",
      dependencies: [.product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: settings),
    .target(
      name: "ProctorHistory",
      dependencies: [
        "ProctorModel", "ProctorFormats", "ProctorStorage",
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: settings),
    .target(
      name: "ProctorAudit",
      dependencies: [
        "ProctorModel", "ProctorFormats", "ProctorStorage",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: settings),
    .target(
      name: "ProctorServer",
      dependencies: [
        "ProctorModel", "ProctorFormats", "ProctorEngine", "ProctorSchemas", "ProctorAudit",
        "ProctorHistory", "ProctorStorage",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings),
    .target(
      name: "ProctorSelfTest", dependencies: ["ProctorModel", "ProctorSandbox", "CAttacks"],
      swiftSettings: settings),
    .executableTarget(
      name: "proctor",
      dependencies: [
        "ProctorEngine", "ProctorModel", "ProctorFormats", "ProctorSelfTest", "ProctorServer",
        "ProctorAudit", "ProctorHistory", "ProctorStorage", "CSandbox",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "latency", dependencies: ["ProctorSandbox", "ProctorModel"], path: "Benchmarks/Latency",
      swiftSettings: settings),
    .executableTarget(
      name: "audit-cost", dependencies: ["ProctorAudit"], path: "Benchmarks/Audit",
      swiftSettings: settings),
    .executableTarget(
      name: "history-cost", dependencies: ["ProctorHistory", "ProctorModel"],
      path: "Benchmarks/History", swiftSettings: settings),
    .testTarget(name: "ProctorModelTests", dependencies: ["ProctorModel"], swiftSettings: settings),
    .testTarget(
      name: "ProctorFormatsTests", dependencies: ["ProctorFormats", "ProctorModel"],
      swiftSettings: settings),
    .testTarget(
      name: "ProctorSandboxTests", dependencies: ["ProctorSandbox", "ProctorModel"],
      swiftSettings: settings),
    .testTarget(
      name: "ProctorEngineTests",
      dependencies: ["ProctorEngine", "ProctorModel", "ProctorSandbox"],
      swiftSettings: settings),
    .testTarget(
      name: "ProctorAdaptersTests",
      dependencies: ["ProctorAdapters", "ProctorFormats", "ProctorModel"],
      swiftSettings: settings),
    .testTarget(
      name: "ProctorAuditTests",
      dependencies: [
        "ProctorAudit", "ProctorModel", .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ProctorHistoryTests",
      dependencies: [
        "ProctorHistory", "ProctorModel", "ProctorStorage",
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: settings),
    .testTarget(name: "EndToEndTests", dependencies: ["ProctorModel"], swiftSettings: settings),
  ]
)
