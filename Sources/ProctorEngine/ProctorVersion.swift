/// Proctor's own version.
public enum ProctorVersion {
  public static let text = "0.1.0"
}
