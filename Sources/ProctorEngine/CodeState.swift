import Glibc
import ProctorModel

/// Tells whether files of a workspace changed between two runs, by their names, sizes and dates.
enum CodeState {
  static func of(_ tree: WorkspaceTree) -> String {
    var digest = Digest()
    for file in tree.files {
      var status = stat()
      guard lstat("\(tree.root)/\(file)", &status) == 0 else { continue }
      digest.add(file)
      digest.add(UInt64(bitPattern: Int64(status.st_size)))
      digest.add(UInt64(bitPattern: Int64(status.st_mtim.tv_sec)))
      digest.add(UInt64(bitPattern: Int64(status.st_mtim.tv_nsec)))
    }
    return digest.text
  }

  /// FNV-1a over words, 64 bits.
  private struct Digest {
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01b3 }

    mutating func add(_ text: String) {
      for byte in text.utf8 { add(UInt64(byte)) }
      add(0)
    }

    var text: String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
  }
}
