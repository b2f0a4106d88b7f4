/// A shell script that makes a file or a folder of the guest folder, which several processes may do at once.
///
/// Each makes its own and puts it in place whole. The shell's process number would not tell them apart: every sandbox
/// counts from one.
enum MakingScript {
  /// - Parameter commands: what makes `$made`; its arguments begin with `$1`.
  /// - Returns: arguments for a command whose first further argument is where it goes.
  static func argv(_ commands: String) -> [String] {
    let script = """
      out=$1
      shift
      new=$(mktemp -d "$out.XXXXXX") || exit 1
      trap 'rm -rf "$new"' EXIT
      made=$new/made
      { \(commands)
      } && { mv -T "$made" "$out" 2>/dev/null || [ -d "$out" ]; }
      """
    return ["/bin/sh", "-c", script, "sh"]
  }
}
