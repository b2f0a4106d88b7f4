import ProctorModel
import Testing

@testable import ProctorAdapters

/// What Rust programs print when they panic, hang or crash.
@Suite struct RustOutputTests {
  let context = Sample.context()

  @Test func `the last panic of the test's own thread is the failure`() {
    let output = """
      thread 'other' (2) panicked at src/other.rs:9:9:
      not mine
      thread 'tests::it' (3) panicked at src/lib.rs:5:9:
      first
      thread 'tests::it' (3) panicked at src/lib.rs:7:13:
      second
      of two lines
      note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
      """
    let failure = RustPanic(output: output, test: "tests::it", context: context).failure(note: nil)
    #expect(failure.location == SourceLocation(file: "src/lib.rs", line: 7, column: 13))
    #expect(failure.message == "second\nof two lines")
  }

  @Test func `a panic in a library has no place of the user's`() {
    let output = "thread 't' (3) panicked at /rustc/abc/library/core/src/option.rs:1:2:\nboom"
    let failure = RustPanic(output: output, test: "t", context: context).failure(note: nil)
    #expect(failure.location == nil)
    #expect(failure.message == "boom")
  }

  @Test func `an orphan is told with its place, unless a scope passed it on`() {
    var orphans = OrphanThreads()
    let panic = "thread '<unnamed>' (77) panicked at src/lib.rs:4:5:\nlost\n"
    orphans.look(into: panic, of: Sample.test("t"), context)
    #expect(orphans.errors(context).isEmpty)
    orphans.add(77)
    orphans.add(78)
    let errors = orphans.errors(context)
    #expect(errors.map(\.location?.line) == [4, nil])
    #expect(errors.allSatisfy { $0.finding == .unjoinedPanic && $0.stage == .suite })
    var scoped = OrphanThreads()
    scoped.look(into: panic + "a scoped thread panicked\n", of: Sample.test("t"), context)
    scoped.add(77)
    #expect(scoped.errors(context).isEmpty)
  }

  @Test func `the stack of the thread that runs the test is taken`() {
    let output = """
      noise
      proctor: stacks
      main at /w/src/main.rs:1
      ?? ??:0
      core::hint::black_box at /rustc/x/hint.rs:5
       (inlined by) lib::spin at /w/src/lib.rs:4 (discriminator 2)
      lib::tests::hangs at /w/src/lib.rs:19
      ?? ??:0
      lib::tests::other at /w/src/lib.rs:30
      ?? ??:0
      proctor: end of stacks
      """
    let frames = NativeStacks.frames(in: output, named: ["::tests::hangs"], context)
    #expect(frames.map(\.line) == [4, 19])
    #expect(frames.first?.function == "lib::spin")
    // Nobody can tell which of several threads it is.
    #expect(NativeStacks.frames(in: output, named: ["::absent"], context).isEmpty)
  }
}
