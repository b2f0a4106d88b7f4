import FoundationEssentials
public import ProctorModel

/// jest, with its default runner jest-circus.
public struct JestAdapter: Adapter {
  public let id = AdapterID(rawValue: "jest")
  public let listsWhileRunning = true
  public let sourceExtensions = ["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts"]
  public let environmentAllowList = [
    "NODE_ENV", "NODE_OPTIONS", "BABEL_ENV", "JEST_*", "TS_NODE_*",
  ]

  public init() {}

  public func detect(in tree: WorkspaceTree) -> [Project] { JestDetection(tree: tree).projects() }

  public func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, host: any Host
  ) throws(ToolProblem) -> Toolchain {
    try NodeToolchain(project: project, workspace: workspace, settings: settings, host: host).find()
  }

  public func fetch(_ context: AdapterContext) -> [Invocation] {
    [
      Invocation(
        purpose: .fetch, title: "installing packages",
        argv: JestInstallation.installCommand(context),
        environment: ["npm_config_cache": "\(context.cache)/npm"],
        directory: context.projectDirectory,
        mounts: [.writable("\(context.cache)/npm")], writesWorkspace: true)
    ]
  }

  public func build(_ context: AdapterContext) -> [Invocation] {
    guest(context).installation
  }

  private static let guestFiles = GuestFiles([
    "proctor_jest_channel.js": PackageResources.proctor_jest_channel_js,
    "proctor_jest_runner.js": PackageResources.proctor_jest_runner_js,
    "proctor_jest_reporter.js": PackageResources.proctor_jest_reporter_js,
    "proctor_jest_sequencer.js": PackageResources.proctor_jest_sequencer_js,
    "proctor_jest_watch.js": PackageResources.proctor_jest_watch_js,
  ])

  /// Below a folder `node_modules` jest does not run code through the project's transforms.
  private func guest(_ context: AdapterContext) -> GuestFolder {
    GuestFolder(
      context: context, name: "jest", inner: "node_modules/proctor",
      files: Self.guestFiles)
  }

  public func readBuild(_ context: AdapterContext, _ finished: [FinishedInvocation]) -> Build {
    guard let jest = JestInstallation.find(context) else {
      return Build(errors: [
        RunError(
          stage: .dependency, adapter: id,
          message:
            "jest is not installed: run with --fetch, or npm install (npm install --save-dev jest)",
          location: SourceLocation(file: context.display("package.json")))
      ])
    }
    return Build(products: [
      Build.Product(name: "jest", executable: jest, directory: context.projectDirectory)
    ])
  }

  public func list(
    _ context: AdapterContext, _ build: Build, scope: Scope, isComplete: Bool
  ) -> [Invocation] {
    var arguments: [String] = []
    if case .path(let path) = scope {
      let full = "\(context.workspace)/\(path)"
      let isFile = sourceExtensions.contains { path.hasSuffix("." + $0) }
      arguments = isFile ? ["--runTestsByPath", full] : [Self.quoted(full + "/")]
    }
    return invocation(.list, context, build, arguments: arguments)
  }

  public func run(
    _ context: AdapterContext, _ build: Build, selection: Selection, mode: RunMode
  ) -> [Invocation] {
    guard case .cases(let cases) = selection else { return invocation(.run, context, build) }
    // By file, then by the joined names.
    var chosen: [String: [String: [Int]]] = [:]
    for test in cases {
      chosen[Self.path(test, context), default: [:]][test.nativeID, default: []]
        .append(Self.occurrence(test))
    }
    var files = ["selection.json": (try? JSONEncoder().encode(chosen)) ?? Data("{}".utf8)]
    var how = mode == .normal ? [] : ["--runInBand"]
    if mode == .ordered {
      files["order.json"] = order(cases, context)
      how += ["--testSequencer", guest(context).path("proctor_jest_sequencer.js")]
    }
    return invocation(
      .run, context, build, arguments: how + ["--runTestsByPath"] + chosen.keys.sorted(),
      files: files, cases: cases)
  }

  /// `[path, name, occurrence]` of each test.
  private func order(_ cases: [TestCase], _ context: AdapterContext) -> Data {
    let places = cases.map { test in
      [
        JSONPart.text(Self.path(test, context)), .text(test.nativeID),
        .number(Self.occurrence(test)),
      ]
    }
    return (try? JSONEncoder().encode(places)) ?? Data("[]".utf8)
  }

  private enum JSONPart: Encodable {
    case text(String)
    case number(Int)

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let text): try container.encode(text)
      case .number(let number): try container.encode(number)
      }
    }
  }

  private static func path(_ test: TestCase, _ context: AdapterContext) -> String {
    test.file.map { $0.hasPrefix("/") ? $0 : "\(context.workspace)/\($0)" } ?? ""
  }

  /// A number tells duplicates apart.
  private static func occurrence(_ test: TestCase) -> Int {
    let suffix = test.id.text.dropFirst(
      TestID(project: test.project, fullName: test.fullName).text.count)
    return Int(suffix.dropFirst()) ?? 1
  }

  /// Files stay in one piece, and in them what stands in a `describe`: all of it comes where its first test does.
  public func arranged(_ cases: [TestCase]) -> [TestCase]? {
    func gathered(_ tests: [TestCase], at depth: Int) -> [TestCase] {
      var (names, groups): ([String], [String: [TestCase]]) = ([], [:])
      for test in tests {
        let steps = Self.steps(of: test)
        // What is no `describe` is a group of its own.
        let name =
          steps.count > depth + 1 ? "describe " + steps[depth] : "test " + test.id.text
        if groups[name] == nil { names.append(name) }
        groups[name, default: []].append(test)
      }
      return names.flatMap { name -> [TestCase] in
        let group = groups[name] ?? []
        return name.hasPrefix("describe ") ? gathered(group, at: depth + 1) : group
      }
    }
    return gathered(cases, at: 0)
  }

  /// The file, the names of the blocks that a test stands in, its own.
  private static func steps(of test: TestCase) -> [String] {
    var names = test.nativeID.split(separator: " > ").map(String.init)
    if names.isEmpty { names = [""] }
    return [test.file ?? ""] + names
  }

  public func touchesTests(_ file: ChangedFile) -> Bool {
    if file.name == "package.json" {
      return file.differs { text in
        let manifest = try? JSONText(text.utf8)
        return ["jest", "scripts", "babel"].compactMap { manifest?.member($0) }
          .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
      }
    }
    let settings = ["jest.config.", "jest.setup.", "babel.config.", ".babelrc"]
    return file.isNamedAsTest || settings.contains { file.name.hasPrefix($0) }
  }

  private func invocation(
    _ purpose: Invocation.Purpose, _ context: AdapterContext, _ build: Build,
    arguments: [String] = [], files: [String: Data] = [:], cases: [TestCase]? = nil
  ) -> [Invocation] {
    guard let jest = build.product("jest") else { return [] }
    let guest = guest(context)
    let cache = "\(context.cache)/jest"
    var environment = [
      "PROCTOR_CHANNEL": Invocation.channelPlaceholder,
      "PROCTOR_NONCE": Invocation.noncePlaceholder,
    ]
    if !files.isEmpty {
      environment["PROCTOR_SELECTION"] = "\(Invocation.filesPlaceholder)/selection.json"
    }
    if files["order.json"] != nil {
      environment["PROCTOR_ORDER"] = "\(Invocation.filesPlaceholder)/order.json"
    }
    if purpose == .list { environment["PROCTOR_LIST"] = "1" }
    if purpose == .run, let seconds = context.testSeconds {
      environment["PROCTOR_TEST_SECONDS"] = "\(seconds)"
    }
    return [
      Invocation(
        purpose: purpose, title: purpose == .list ? "collecting" : "running tests",
        argv: [
          context.toolchain.main, jest.executable, "--ci", "--passWithNoTests", "--watchman=false",
          // An open handle must not keep the finished run alive.
          // Every file is to be run, whatever the project stops at by itself.
          "--forceExit", "--bail=0", "--cacheDirectory", cache, "--testRunner",
          guest.path("proctor_jest_runner.js"), "--reporters",
          guest.path("proctor_jest_reporter.js"),
        ]
          + context.project.excluded.flatMap {
            ["--modulePathIgnorePatterns", Self.quoted("/\($0)/")]
          }
          + context.settings.arguments + arguments,
        environment: environment, directory: context.projectDirectory, channel: .frames,
        mounts: [.writable(cache), .readOnly(guest.folder)], files: files, cases: cases)
    ]
  }

  /// jest takes paths as regular expressions.
  private static func quoted(_ path: String) -> String {
    path.map { "\\^$.|?*+()[]{}".contains($0) ? "\\\($0)" : String($0) }.joined()
  }

  public func decoder(
    for invocation: Invocation, _ context: AdapterContext, _ build: Build
  ) -> any EventDecoder {
    JestDecoder(context: context, isListing: invocation.purpose == .list)
  }

  /// What the watching thread says: `[function, file, line, column]` each, innermost first.
  public func frames(in output: String, of test: TestCase, _ context: AdapterContext) -> [Frame] {
    struct Place: Decodable {
      let frame: Frame

      init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        let function = try container.decode(String.self)
        let file = try container.decode(String.self)
        let line = try container.decode(Int.self)
        frame = Frame(
          function: function.nonEmpty, file: file, line: line > 0 ? line : nil)
      }
    }
    let stacks = output.ranges(of: "proctor: javascript stack ").compactMap { range in
      let line = output[range.upperBound...].prefix { $0 != "\n" }
      return try? JSONDecoder().decode([Place].self, from: Data(line.utf8)).map { place in
        Frame(
          function: place.frame.function, file: context.display(place.frame.file),
          line: place.frame.line)
      }
    }
    let own = stacks.last { stack in stack.contains { $0.file == test.file } } ?? []
    return own.filter { context.isUserCode($0.file) }
  }

  public func exitAgrees(
    _ status: ExitStatus, failed: Bool, ran: Bool, of invocation: Invocation
  ) -> Bool {
    switch status {
    case .exited(0): !failed
    case .exited(1): failed
    case .exited, .signaled: false
    }
  }
}
