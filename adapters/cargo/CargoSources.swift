import FoundationEssentials
import ProctorModel

/// The source files of what cargo made, as rustc wrote them down beside it: `.d` files, for make.
struct CargoSources {
  let context: AdapterContext

  private static let recordLimit = 16 << 20

  /// Relative to the workspace where they are in it.
  func files(of artifact: CargoMessage) -> [String] {
    guard artifact.reason == "compiler-artifact", let target = artifact.target else { return [] }
    let folder = CargoPlan(context: context).targetFolder + "/"
    let records = (artifact.filenames ?? []).filter { $0.hasPrefix(folder) }
      .compactMap { record(of: $0, isScript: target.kind.contains("custom-build")) }
      .compactMap { BuiltFile.read($0, limit: Self.recordLimit) }
    return [context.display(target.src_path)]
      + records.flatMap { names(in: $0, root: target.src_path) }
  }

  /// `deps/libsum-HASH.rmeta` has `deps/sum-HASH.d`, `build/sum-HASH/build-script-build` has
  /// `build/sum-HASH/build_script_build-HASH.d`.
  private func record(of product: String, isScript: Bool) -> String? {
    let parts = product.split(separator: "/")
    guard parts.count > 1, let name = parts.last else { return nil }
    guard isScript else {
      let stem = name.split(separator: ".").first ?? name
      return "\(product.parentFolder)/\(stem.hasPrefix("lib") ? stem.dropFirst(3) : stem).d"
    }
    let hash = parts[parts.count - 2].split(separator: "-").last ?? ""
    return "\(product.parentFolder)/\(name.replacing("-", with: "_"))-\(hash).d"
  }

  /// Each file has a line of its own, `src/lib.rs:`, with blanks as `\ `; relative to where rustc was started, which
  /// is where the crate's own root is found from.
  private func names(in record: Data, root: String) -> [String] {
    let names = record.split(separator: UInt8(ascii: "\n"))
      .filter { $0.last == UInt8(ascii: ":") }
      .map { String(decoding: $0.dropLast(), as: UTF8.self).replacing("\\ ", with: " ") }
    let base = names.first { root.hasSuffix("/\($0)") }.map { String(root.dropLast($0.count + 1)) }
    return names.map { context.display($0, relativeTo: base) }
  }
}
