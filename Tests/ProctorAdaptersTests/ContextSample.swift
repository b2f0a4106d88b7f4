import Foundation
import ProctorModel

@testable import ProctorAdapters

/// A project in an existing folder, for the pure parts of adapters.
enum Sample {
  static let project = Project(
    adapter: AdapterID(rawValue: "sample"), root: ".", evidence: "test")

  static func context(workspace: String = "/w") -> AdapterContext {
    AdapterContext(
      workspace: workspace, project: project, settings: AdapterSettings(),
      toolchain: Toolchain(main: "/usr/bin/tool"), cache: "/c", sharedCache: "/s", mayFetch: false,
      isIsolated: true)
  }

  static func test(_ name: String, occurrence: Int = 1) -> TestCase {
    TestCase(
      id: TestID(project: project, fullName: name, occurrence: occurrence), project: project,
      suite: "s", name: name, fullName: name, nativeID: name)
  }
}
