/// A test that a runner listed.
public struct TestCase: Hashable, Sendable {
  public let id: TestID
  public let project: Project
  /// The group the runner puts it in: a file, a class, a crate's target.
  public let suite: String
  /// Its own name, without the suite: `test_param[1-2]`, `tests::ok`, `adds two numbers`.
  public let name: String
  /// The name that filters are matched on, unique in its project but for true duplicates.
  public let fullName: String
  /// Where the test starts; nil when the runner does not say.
  public let definition: SourceLocation?
  /// The file that holds it, relative to the workspace; nil when unknown.
  public let file: String?
  /// The build product (test binary, bundle) it lives in; nil for runners without a build.
  public let product: String?
  /// What the runner itself calls it, for selecting it again.
  public let nativeID: String

  public init(
    id: TestID, project: Project, suite: String, name: String, fullName: String,
    definition: SourceLocation? = nil, file: String? = nil, product: String? = nil,
    nativeID: String
  ) {
    self.id = id
    self.project = project
    self.suite = suite
    self.name = name
    self.fullName = fullName
    self.definition = definition
    self.file = file ?? definition?.file
    self.product = product
    self.nativeID = nativeID
  }
}
