import ProctorModel

/// The shape of a change in answers.
struct ChangeAnswer: Encodable {
  struct File: Encodable {
    let path: String
    let change: CandidateChange.Kind
    let insertions: Int?
    let deletions: Int?

    init(_ file: CandidateChange.File) {
      path = file.path
      change = file.kind
      insertions = file.insertions
      deletions = file.deletions
    }
  }

  let files: [File]
  let files_omitted: Int?
  let files_changed: Int
  let added: Int
  let modified: Int
  let deleted: Int
  let insertions: Int
  let deletions: Int
  let touches_tests: [String]

  init(_ change: CandidateChange) { self.init(change, most: CandidateChange.filesListed) }

  /// - Parameter most: files that are listed.
  init(_ change: CandidateChange, most: Int) {
    files = change.files.prefix(most).map(File.init)
    let omitted = change.files.count - files.count
    files_omitted = omitted > 0 ? omitted : nil
    files_changed = change.files.count
    added = change.count(.added)
    modified = change.count(.modified)
    deleted = change.count(.deleted)
    insertions = change.insertions
    deletions = change.deletions
    touches_tests = Array(change.touchingTests.prefix(most))
  }
}
