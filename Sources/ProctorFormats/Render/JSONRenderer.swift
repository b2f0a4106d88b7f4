public import ProctorModel

/// The contract's answer of `run_all_tests`, with every test.
public struct JSONRenderer: Renderer {
  public let name = "json"
  public let suffix = ".json"

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    Rendering(ContractJSON.runAllTests(report, details: true))
  }
}
