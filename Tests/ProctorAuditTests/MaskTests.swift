import Foundation
import Testing

@testable import ProctorAudit

@Suite struct MaskTests {
  /// Texts in which the word that is a secret is HIDE and what comes after it.
  @Test(arguments: [
    "AWS_SECRET_ACCESS_KEY=HIDEaaaaaaaa",
    "export GITHUB_TOKEN='HIDE aaaa'",
    #"{"api_key": "HIDEaa", "b": 1}"#,
    #"{\"password\": \"HIDE\\\"a\", \"b\": 1}"#,
    "password: str = \"HIDE\"",
    "self.password == 'HIDE\\'more'",
    "db(password=HIDE, user='x')",
    "os.environ[\"API_TOKEN\"] = \"HIDE\"",
    "PASSWORD = \"\"\"HIDE\nHIDE2\"\"\"",
    "const apiKey = `HIDE`;",
    "curl -H 'Authorization: Bearer HIDEaaaa.bbb'",
    "Authorization: Basic SElERTpISURFSElERQ==HIDE",
    "Proxy-Authorization: HIDE and all of the line",
    "git clone https://me:HIDE@example.org/a.git",
    "postgres://u:HI@DE/x@db:5432/n?HIDE@",
    "https://HIDEaaaaaaaaaa@example.org/",
    "tool --password HIDE --verbose",
    "tool --api-key=HIDE x",
    "-----BEGIN RSA PRIVATE KEY-----\nHIDEaaa\nHIDEbbb\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nHIDEaaa",
    "see ghp_HIDEaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "AKIAHIDEAAAAAAAAAAAA is my id",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJISURFIn0.HIDE-aaa",
    "sk-ant-HIDEaaaaaaaaaaaaaaaa", "xoxb-HIDE-1234567890", "sk_live_HIDEaaaaaaaaaa",
    "it is HIDE-of-the-environment.",
  ])
  func `secrets are taken out of texts`(text: String) {
    let mask = SecretMask(environment: ["MY_TOKEN": "HIDE-of-the-environment", "HOME": "/root"])
    let masked = mask.masked(text)
    #expect(!masked.contains("HIDE"), "\(masked)")
    #expect(masked.contains("[masked]"))
  }

  @Test(arguments: [
    "def add(a, b): return a + b", "tests/test_monkeys.py::test_ok[1]",
    "the failing test of yesterday, to see whether it is repaired",
    "https://example.org/a/b?c=d", "git@github.com:a/b.git", "{\"filter\": \"auth|login\"}",
    "/home/anna/.cache", "x: int = 5", "cargo:.:auth::token::tests::parses",
  ])
  func `what is none stays`(text: String) {
    #expect(SecretMask(environment: ["PATH": "/usr/bin", "TOKEN": "5"]).masked(text) == text)
  }

  @Test func `names`() {
    for name in [
      "GITHUB_TOKEN", "password", "dbPassword", "API-Key", "apikey", "AWS_SECRET", "Authorization",
      "private_key", "sshKey", "client_secret", "PGPASSWORD", "key", "auth",
    ] {
      #expect(SecretMask.isSecret(name: name), "\(name)")
    }
    for name in ["path", "keyboard", "monkey_business", "author", "tests", "passed", "n", "", "é"] {
      #expect(!SecretMask.isSecret(name: name), "\(name)")
    }
  }

  @Test func `members with the name of a secret go whole`() {
    let record = MaskedJSON(mask: SecretMask())
    func masked(_ text: String) -> String {
      String(decoding: record.masked(Data(text.utf8)), as: UTF8.self)
    }
    #expect(
      masked(#" {"password": {"a": ["HIDE", 1]}, "b": [{"token":"HIDE"}, 1.50, null, true]} "#)
        == #"{"password":"[masked]","b":[{"token":"[masked]"},1.50,null,true]}"#)
    #expect(masked(#"{"a": "x\ud800\u0000\n", "b": {}, "c": [ ]}"#).hasPrefix(#"{"a":"x"#))
    #expect(masked("no JSON") == #""no JSON""#)
    #expect(masked(#"{"pass\u0077ord": "HIDE"}"#) == #"{"password":"[masked]"}"#)
  }

  @Test func `code and patches are kept as what they are known by`() throws {
    let record = MaskedJSON(mask: SecretMask())
    let code = "password = \"HIDE\"\n" + String(repeating: "x = 1\n", count: 100_000)
    let sent = try JSONSerialization.data(withJSONObject: ["code": code, "language": "python"])
    let kept = record.masked(sent)
    #expect(kept.count < 2000)
    let object = try JSONSerialization.jsonObject(with: kept) as? [String: Any]
    let digest = object?["code"] as? [String: Any]
    #expect(digest?["bytes"] as? Int == code.utf8.count)
    #expect((digest?["sha256"] as? String)?.count == 64)
    #expect((digest?["excerpt"] as? String)?.hasPrefix("password = [masked]\nx = 1") == true)
    #expect((digest?["excerpt"] as? String)?.contains("cut: \(code.utf8.count) bytes") == true)
  }

  @Test func `arguments of any size are bounded`() throws {
    let record = MaskedJSON(mask: SecretMask())
    let long = try JSONSerialization.data(
      withJSONObject: ["args": [String](repeating: "some words", count: 100_000)])
    let kept = record.masked(long)
    #expect(kept.count < 4000)
    #expect(try JSONSerialization.jsonObject(with: kept) is [String: Any])
    let deep = Data((String(repeating: "[", count: 490) + String(repeating: "]", count: 490)).utf8)
    #expect(record.masked(deep) == deep)
    // As long as a word can be, and quick all the same.
    _ = record.masked(Data(#"{"a": "\#(String(repeating: "key", count: 2_000_000))"}"#.utf8))
  }

  @Test func `no secret reaches the disk`() throws {
    let fixture = try AuditFixture()
    let log = try fixture.log(["DEPLOY_TOKEN": "HIDE-in-environment"])
    let secrets = [
      #"{"args": ["https://u:HIDE@h/"], "token": "HIDE", "code": "key = 'HIDE'", "patch": "+Bearer HIDEHIDE"}"#,
      #"{"args": "HIDE-in-environment"}"#,
    ]
    for arguments in secrets {
      let number = try log.begin(
        AuditCall(
          "execute_function", workspace: "/w", arguments: Data(arguments.utf8),
          reason: "password: HIDE", policy: AuditPolicy(isolation: nil, timeoutSeconds: nil)),
        door: .http, caller: "1.2.3.4 token=HIDE")
      let answer = Data(#"{"status": "error", "message": "Authorization: HIDE"}"#.utf8)
      try log.end(
        number, AuditOutcome(answer: answer, status: ""), exitCode: 1,
        confirmation: AuditConfirmation(.allowed, question: "--password HIDE"), wallMS: 1)
    }
    let bytes = try fixture.bytes()
    #expect(bytes.range(of: Data("execute_function".utf8)) != nil)
    #expect(bytes.range(of: Data("HIDE".utf8)) == nil)
  }

  @Test func `of large arguments only the beginning is looked at, and no secret of it shown`()
    throws
  {
    let many = String(repeating: #""HIDE", "#, count: 20_000)
    for arguments in [
      #"{"secret": [\#(many)"HIDE"], "more": ["HIDE"]}"#,
      #"{"a": {"password": {"b": [\#(many)1]}}, "c": 1}"#,
    ] {
      let masked = MaskedJSON(mask: SecretMask()).masked(Data(arguments.utf8))
      let words = String(decoding: masked, as: UTF8.self)
      #expect(!words.contains("HIDE"), "\(words.prefix(300))")
      let object = try #require(
        try JSONSerialization.jsonObject(with: masked) as? [String: Any])
      #expect(object["bytes"] as? Int == arguments.utf8.count)
      #expect((object["sha256"] as? String)?.count == 64)
    }
  }
}
