public import ProctorModel

/// The page to look at, as one file (docs/page.md).
public struct HTMLRenderer: Renderer {
  public let name = "html"
  public let suffix = ".html"

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    do {
      var recorded = try RecordedReport(reading: ContractJSON.runAllTests(report, details: true))
      recorded.sources = context.sources
      return Rendering(
        HTMLPage.file([recorded], title: context.workspace, nonce: context.nonce))
    } catch {
      throw RenderError("the page cannot be made: the answer \(error.text)")
    }
  }
}
