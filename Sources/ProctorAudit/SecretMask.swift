import FoundationEssentials
import ProctorFormats
import ProctorModel

/// Takes out of texts what looks like a secret, before anything is written.
///
/// Rather too much than too little: what stands where a secret would stand is taken out, too.
struct SecretMask: Sendable {
  static let sign = "[masked]"
  /// Characters of a value of the environment that is looked for: shorter ones are everywhere.
  private static let shortestValue = 6

  /// Values of variables whose names say that they are secrets.
  private let values: [String]

  /// - Parameter environment: whose secret values are taken out wherever they stand.
  init(environment: [String: String] = [:]) {
    let secrets = environment.filter { Self.isSecret(name: $0.key) }.values
    // A longer one may hold a shorter one.
    values = Set(secrets).filter { $0.count >= Self.shortestValue && !$0.hasPrefix("/") }
      .sorted { $0.count > $1.count }
  }

  // MARK: names

  private static let words: Set<String> = [
    "token", "tokens", "secret", "secrets", "password", "passwords", "passwd", "passphrase", "pwd",
    "pass", "key", "keys", "apikey", "credential", "credentials", "auth", "authorization",
    "cookie", "cookies", "bearer", "jwt", "pin", "otp", "signature", "pat",
  ]
  private static let parts = [
    "token", "secret", "password", "passwd", "passphrase", "apikey", "accesskey", "privatekey",
    "credential", "authorization",
  ]

  /// Whether a variable, argument or field of this name holds a secret.
  static func isSecret(name: String) -> Bool {
    let bytes = Array(name.utf8.prefix(200))
    var (parts, word): ([String], [UInt8]) = ([], [])
    var wasLower = false
    for byte in bytes {
      let isUpper = (65...90).contains(byte)
      let isLetter = isUpper || (97...122).contains(byte)
      if !isLetter || isUpper && wasLower {
        parts.append(String(decoding: word, as: UTF8.self))
        word = []
      }
      if isLetter { word.append(byte | 0x20) }
      wasLower = isLetter && !isUpper
    }
    parts.append(String(decoding: word, as: UTF8.self))
    let joined = parts.joined()
    return parts.contains(where: words.contains) || joined.hasSuffix("key")
      || Self.parts.contains { joined.holds($0) }
  }

  // MARK: texts

  private static let name =
    #"[\w.-]*?(?:token|secret|passw(?:or)?d|passphrase|pwd|api_?-?key|credential|authorization|auth|cookie|(?<![a-z])pass|key)[\w-]*"#

  private static let patterns: [RegularExpression?] = [
    // Keys between their lines, also cut off.
    #"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?<secret>[\s\S]*?)(?:-----END|\z)"#,
    // https://user:password@host
    #"(?i)\b[a-z][a-z0-9+.-]*://(?<secret>[^\s/"'<>@:]*:[^\s"'<>]*|[^\s/"'<>@:]{8,})@"#,
    // What services begin their tokens with.
    #"(?<![A-Za-z0-9])(?<secret>(?:AKIA|ASIA)[0-9A-Z]{12,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|gl[a-z]{2,5}-[\w-]{16,}|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|sk-[\w-]{16,}|[spr]k_(?:live|test)_\w{8,}|whsec_\w{8,}|AIza[\w-]{20,}|ya29\.[\w.-]+|GOCSPX-[\w-]+|npm_\w{16,}|pypi-[\w-]{16,}|hf_\w{16,}|SG\.[\w-]{10,}\.[\w-]+|do[op]_v1_\w{16,}|dckr_pat_[\w-]{16,}|shp[a-z]{2}_\w{16,}|AGE-SECRET-KEY-\w+|eyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?)"#,
    #"(?i)\bbearer\s+(?<secret>[^\s"',;]{6,})"#,
    #"(?i)\bbasic\s+(?<secret>[a-z0-9+/]{12,}={0,2})"#,
    #"(?i)\b(?:proxy-)?authorization\\?["']?\s*[:=]\s*\\?["']?(?<secret>[^\r\n"'\\]+)"#,
    // name = value, name: type = value, "name": "value", name => value
    #"(?i)(?<![\w.-])\#(name)\\?["']?\]?(?:\s*:\s*[\w.\[\] |&?<>]+?)?\s*(?:={1,3}>?|:=|:(?!:))\s*(?:\w{0,2}(?=["'`]))?(?<secret>(?<q>\\*(?:"""|'''|["'`]))(?:(?!\k<q>)(?:\\.|[\s\S]))*(?:\k<q>|\z)|[^\s"'`,;&)}\]\\]+)"#,
    // --password value
    #"(?i)(?<![\w-])--?\#(name)\s+(?<secret>(?<q>["'])(?:(?!\k<q>)[\s\S])*(?:\k<q>|\z)|[^\s"'-][^\s"']*)"#,
  ].map { try? RegularExpression($0) }

  func masked(_ text: String) -> String {
    var text = text
    for value in values where text.contains(value) {
      text = text.replacing(value, with: Self.sign)
    }
    for pattern in Self.patterns {
      // What cannot be looked through is not shown.
      guard let pattern,
        let clean = try? pattern.replacing(group: "secret", in: text, with: Self.sign)
      else { return Self.sign }
      text = clean
    }
    return text
  }
}
