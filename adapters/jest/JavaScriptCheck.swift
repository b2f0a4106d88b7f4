import FoundationEssentials
public import ProctorModel

/// JavaScript and TypeScript files: read by node, babel and TypeScript as they apply; relative imports are looked for.
extension JestAdapter: CheckAdapter {
  public var checkedLanguage: String { "JavaScript and TypeScript" }
  public var needsManifest: Bool { false }

  public func checkedProjects(in tree: WorkspaceTree) -> [Project] {
    projectsWithLooseFiles(in: tree)
  }

  private struct Request: Encodable {
    let root: String
    let files: [String]
    let manifests: [String]
  }

  public func check(_ context: AdapterContext, files: [String]) -> [Invocation] {
    let root = context.projectDirectory
    let paths = files.map { "\(context.workspace)/\($0)" }
    let manifest = "\(root)/package.json"
    let hasManifest = FileManager.default.fileExists(atPath: context.readable(manifest))
    let request = Request(root: root, files: paths, manifests: hasManifest ? [manifest] : [])
    return [
      Invocation(
        purpose: .run, title: "compiling",
        argv: [
          context.toolchain.main, "--experimental-vm-modules", "--no-warnings",
          "\(Invocation.filesPlaceholder)/proctor_check.mjs",
        ],
        environment: [
          "PROCTOR_CHANNEL": Invocation.channelPlaceholder,
          "PROCTOR_NONCE": Invocation.noncePlaceholder,
          "PROCTOR_REQUEST": "\(Invocation.filesPlaceholder)/request.json",
        ], directory: root, channel: .frames,
        files: [
          "proctor_check.mjs": Data(PackageResources.proctor_check_mjs),
          "request.json": (try? JSONEncoder().encode(request)) ?? Data(),
        ])
    ]
  }

  public func readCheck(
    _ context: AdapterContext, files: [String], _ finished: [FinishedCheck]
  ) -> CheckFindings { CheckRecords(context: context, finished: finished).findings() }

  public func lastPlace(_ stopped: FinishedCheck, _ context: AdapterContext) -> String? {
    CheckRecords.lastFile(of: stopped).map { context.display($0) }
  }
}
