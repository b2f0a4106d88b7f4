import FoundationEssentials
import HTTPTypes
import Hummingbird
import ProctorFormats

/// The page to look at runs with.
struct HTTPPage: Sendable {
  let workspaces: HTTPWorkspaces

  var endpoints: [HTTPEndpoint] {
    [
      HTTPEndpoint(.get(""), "page", for: .nobody, OpenAPI.page) { call in
        let name = HTTPWorkspaces.parameter.name
        if workspaces.all.count > 1, call.query(name) == nil, let first = workspaces.all.first {
          let place = "/?\(name)=\(Self.escaped(first.name))"
          return Response(status: .seeOther, headers: [.location: place])
        }
        return Response(
          status: .ok, headers: [.contentType: "text/html; charset=utf-8"],
          body: ResponseBody(byteBuffer: ByteBuffer(bytes: HTMLPage.served(nonce: Self.nonce()))))
      }
    ]
  }

  private static func nonce() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<2).map { _ in String(random.next(), radix: 16) }.joined()
  }

  private static func escaped(_ name: String) -> String {
    name.utf8.map { byte in
      let isPlain = byte < 0x80 && Character(UnicodeScalar(byte)).isLetter
      return isPlain || (0x30...0x39).contains(byte)
        ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
