import FoundationEssentials
import Glibc
import ProctorModel

/// Folders and command lines of one Swift package.
struct SwiftPlan {
  enum Library: String, CaseIterable {
    case xctest = "XCTest"
    case swiftTesting = "Swift Testing"
  }

  enum Configuration: String {
    case debug, release
  }

  let context: AdapterContext
  /// What is built as it is released lies apart: tests are built for debugging.
  var configuration = Configuration.debug

  /// The kernel takes 128 KiB an argument.
  private static let argumentLimit = 100 * 1024

  var scratch: String {
    "\(context.cache)/\(configuration == .debug ? "build" : configuration.rawValue)"
  }

  /// `build/debug` is a link to the folder of the machine's own kind.
  var products: String { "\(scratch)/\(configuration)" }

  /// The same, the link followed; a build may have made it lead to something that is none of its own.
  var productFolder: String {
    guard let real = realpath(products, nil) else { return products }
    defer { free(real) }
    let folder = String(cString: real)
    return folder.hasPrefix(scratch + "/") ? folder : products
  }

  var folders: [String] {
    ["--scratch-path", scratch, "--cache-path", "\(context.cache)/swiftpm/cache"]
      + ["--config-path", "\(context.cache)/swiftpm/configuration"]
      + ["--security-path", "\(context.cache)/swiftpm/security"]
  }

  var mounts: [Invocation.Mount] { [.writable(scratch), .writable("\(context.cache)/swiftpm")] }

  /// Local folders that git's URL rewriting points at.
  var gitFolders: [Invocation.Mount] {
    (context.toolchain.tools["git"] ?? "").split(separator: "\n").compactMap { line in
      guard line.hasPrefix("[url \"") else { return nil }
      let base = line.dropFirst(6).dropLast(2)
      let path = base.hasPrefix("file://") ? base.dropFirst(7) : base
      return path.hasPrefix("/") ? .readOnly(String(path)) : nil
    }
  }

  /// Compiled once for each toolchain.
  var observer: String {
    let identity =
      PackageResources.ProctorXCTestObserver_swift
      + Array((context.toolchain.main + (context.toolchain.tools["full version"] ?? "")).utf8)
    return "\(context.guestFolder)/libProctorXCTestObserver-\(Fingerprint.of(identity)).so"
  }

  var clang: String {
    let swiftc = context.toolchain.tools["swiftc"] ?? "/usr/bin/swiftc"
    return swiftc.parentFolder + "/clang"
  }

  var stackLibrary: String {
    "\(context.guestFolder)/libnative_stacks-\(Fingerprint.of(PackageResources.native_stacks_c)).so"
  }

  /// The test bundle of the last successful build; the newest when a package was renamed.
  func bundle() -> String? {
    let folder = "\(scratch)/debug"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    func modified(_ path: String) -> Int {
      var status = stat()
      return stat(path, &status) == 0 ? Int(status.st_mtim.tv_sec) : 0
    }
    return names.filter { $0.hasSuffix(".xctest") }.map { "\(folder)/\($0)" }
      .filter { access($0, X_OK) == 0 }.max { modified($0) < modified($1) }
  }

  private var testMounts: [Invocation.Mount] {
    [.copyOnWrite(scratch), .readOnly(context.guestFolder)]
  }

  func list(_ product: Build.Product, _ library: Library) -> Invocation {
    let events = library == .swiftTesting
    return Invocation(
      purpose: .list, title: "listing \(library.rawValue)",
      argv: [product.executable]
        + (events ? swiftTesting + ["--list-tests"] : ["--dump-tests-json"]),
      directory: product.directory, channel: events ? .lines : .none, mounts: testMounts,
      product: product.name)
  }

  func run(
    _ product: Build.Product, _ library: Library, cases: [TestCase], isEverything: Bool,
    _ mode: RunMode
  ) -> Invocation {
    // By default a signal in XCTest is caught for a backtrace and the test passes.
    var environment = [
      "SWIFT_BACKTRACE": "enable=no", "LD_PRELOAD": stackLibrary,
      "PROCTOR_STACKS": mode == .alone ? "crashes" : "hangs",
    ]
    var arguments: [String] = []
    switch library {
    case .xctest:
      environment["LD_PRELOAD"] = "\(observer):\(stackLibrary)"
      environment["PROCTOR_CHANNEL"] = Invocation.channelPlaceholder
      environment["PROCTOR_NONCE"] = Invocation.noncePlaceholder
      if !isEverything { arguments = [cases.map(\.nativeID).joined(separator: ",")] }
    case .swiftTesting:
      environment["SWT_EXPERIMENTAL_EVENT_STREAM_FIELDS_ENABLED"] = "1"
      environment["PROCTOR_STACKS_ALONE"] = "1"
      arguments = swiftTesting + (mode == .serial ? ["--no-parallel"] : [])
      if !isEverything {
        arguments += cases.flatMap { ["--filter", "^\(Self.quoted($0.nativeID))$"] }
      }
    }
    return Invocation(
      purpose: .run, title: "running \(library.rawValue)", argv: [product.executable] + arguments,
      environment: environment, directory: product.directory,
      channel: library == .xctest ? .frames : .lines, mounts: testMounts, product: product.name,
      cases: cases)
  }

  private var swiftTesting: [String] {
    [
      "--testing-library", "swift-testing", "--event-stream-output-path",
      Invocation.channelPlaceholder,
    ]
      + ["--event-stream-version", eventStreamVersion]
  }

  /// Toolchains before 6.3 know version 0 only, which drops warnings.
  private var eventStreamVersion: String {
    let parts = (context.toolchain.version ?? "").split(separator: ".").compactMap { Int($0) }
    let isNew = (parts.first ?? 0, parts.dropFirst().first ?? 0) >= (6, 3)
    return isNew ? "6.3" : "0"
  }

  /// Swift Testing's filters are regular expressions.
  private static func quoted(_ text: String) -> String {
    text.map {
      $0.isLetter || $0.isNumber || $0 == "_" || $0 == "/" || $0 == " " ? String($0) : "\\\($0)"
    }
    .joined()
  }

  func chunks(_ cases: [TestCase]) -> [[TestCase]] {
    var result: [[TestCase]] = [[]]
    var size = 0
    for test in cases {
      size += test.nativeID.utf8.count * 2 + 16
      if size > Self.argumentLimit {
        result.append([])
        size = test.nativeID.utf8.count * 2
      }
      result[result.count - 1].append(test)
    }
    return result
  }
}
