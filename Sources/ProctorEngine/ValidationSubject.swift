public import FoundationEssentials

/// What is to be judged.
public enum ValidationSubject: Sendable {
  /// A file or folder of the workspace, relative to `base` (absolute) when it is not absolute.
  /// - language: for a file whose ending does not tell; nil to go by the endings.
  case path(String, base: String, language: String? = nil)
  /// A piece of code that has no file.
  case code(Data, language: String)
}
