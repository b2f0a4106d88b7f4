extension String {
  /// The folder that holds the file or folder at this absolute path, without a trailing slash; empty
  /// for what stands in the root.
  public var parentFolder: String {
    split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
  }
}
