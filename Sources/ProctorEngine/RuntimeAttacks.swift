import ProctorModel

/// What code in a language VM or in WebAssembly must not be able to do. Each attack is a function `attack`
/// that returns true when it got through; it does so in the language's own runtime.
struct RuntimeAttack: Sendable {
  let name: String
  /// The language, as its file's ending.
  let ending: String
  let source: String

  private init(_ name: String, _ ending: String, _ source: String) {
    self.name = name
    self.ending = ending
    self.source = source
  }

  var category: String {
    switch ending {
    case "py": "Python"
    case "js": "JavaScript"
    default: "Rust"
    }
  }

  /// What must work in the runtime, so that a runtime that does nothing holds nothing.
  static func harmless(_ ending: String) -> String {
    switch ending {
    case "py": "def attack():\n    return sum([1, 2]) == 3\n"
    case "js":
      "function attack() { return [1, 2].length === 2 }\nmodule.exports = { attack }\n"
    default: "fn attack() -> bool { [1, 2].len() == 2 }\n"
    }
  }

  static func all(_ runtime: FunctionRuntime) -> [RuntimeAttack] {
    switch runtime {
    case .vm: python + javaScript
    case .wasm: rust
    case .native: []
    }
  }

  private static func python(_ name: String, _ body: String, before: String = "") -> RuntimeAttack {
    let lines = body.split(separator: "\n").map { "    \($0)\n" }.joined()
    return RuntimeAttack(name, "py", "\(before)\ndef attack():\n\(lines)")
  }

  private static let python: [RuntimeAttack] = [
    python("open_file", "return len(open('/etc/passwd').read()) > 0"),
    python("import_os", "return len(os.listdir('/')) > 0", before: "import os"),
    python("import_inside", "import os\nreturn len(os.listdir('/')) > 0"),
    python("import_by_name", "return len(__import__('os').listdir('/')) > 0"),
    python(
      "import_submodule", "return json.decoder.scanner is not None", before: "import json.decoder"),
    python("start_process", "return system('true') == 0", before: "from os import system"),
    python(
      "subprocess", "return subprocess.run(['true']).returncode == 0", before: "import subprocess"),
    python("socket", "return socket.socket().fileno() > 0", before: "import socket"),
    python("ctypes", "return ctypes.CDLL(None).getpid() > 0", before: "import ctypes"),
    python("eval", "return eval('1 + 1') == 2"),
    python("exec", "names = {}\nexec('x = 1', names)\nreturn names['x'] == 1"),
    python("compile", "return compile('1', 'a', 'eval') is not None"),
    python("globals", "return 'attack' in globals()"),
    python("class_walk", "return len(().__class__.__bases__[0].__subclasses__()) > 0"),
    python("class_by_getattr", "return getattr((), '__class__') is tuple"),
    python(
      "class_by_text", "return getattr((), Name('__class__')) is tuple",
      before: "class Name(str):\n    def startswith(self, p, *rest):\n        return False"),
    python("subclass_walk_mro", "return len(getattr(int.mro()[1], '__subclasses__')()) > 0"),
    python("format_attribute", "return 'class' in '{0.__class__}'.format(1)"),
    python("format_unbound", "return 'class' in str.format('{0.__class__}', 1)"),
    python("format_map", "return 'class' in '{a.__class__}'.format_map({'a': 1})"),
    python(
      "format_by_map",
      "return 'class' in list(map(getattr(str, 'format'), ['{0.__class__}'], [1]))[0]"),
    python(
      "string_formatter", "return 'class' in string.Formatter().format('{0.__class__}', 1)",
      before: "import string"),
    python("generator_frame", "g = (i for i in [1])\nreturn g.gi_frame is not None"),
    python("frame_by_getattr", "g = (i for i in [1])\nreturn getattr(g, 'gi_frame') is not None"),
    python(
      "traceback_frame",
      "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    return e.__traceback__.tb_frame is not None"
    ),
    python("function_globals", "return 'attack' in attack.__globals__"),
    python("function_code", "return attack.__code__.co_name == 'attack'"),
    python("type_of", "return type(1) is int"),
    python("module_in_module", "return statistics.sys.version != ''", before: "import statistics"),
    python("module_from_module", "return sys.version != ''", before: "from statistics import sys"),
    python(
      "module_codecs", "return json.codecs.open('/etc/passwd').read() != ''", before: "import json"),
    python("regex_enum", "return re.enum.sys.version != ''", before: "import re"),
    python(
      "update_wrapper",
      "functools.update_wrapper(attack, json.dumps, assigned=(), updated=('__dict__',))\nreturn True",
      before: "import functools, json"),
    python("write_module", "math.pi = 3\nreturn math.pi == 3", before: "import math"),
    python("write_builtins", "import builtins\nbuiltins.len = None\nreturn len is None"),
    python(
      "set_class", "a = A()\nsetattr(a, '__class__', B)\nreturn isinstance(a, B)",
      before: "class A: pass\nclass B: pass"),
    python(
      "metaclass", "return isinstance(A, M)",
      before: "class M(type): pass\nclass A(metaclass=M): pass"),
    python("match_class", "match 1:\n    case int(real=r, __class__=c):\n        return c is int"),
    python(
      "annotation", "return f.__annotations__ != {}",
      before: "def f(x: __import__('os').getcwd()): return x"),
    python(
      "breakpoint", "import sys\nsys.breakpointhook = lambda *a: None\nbreakpoint()\nreturn True"),
  ]

  private static func script(_ name: String, _ body: String) -> RuntimeAttack {
    RuntimeAttack(
      name, "js", "async function attack() {\n  \(body)\n}\nmodule.exports = { attack }\n")
  }

  private static let javaScript: [RuntimeAttack] = [
    script("read_file", "return require('fs').readFileSync('/etc/passwd').length > 0"),
    script("write_file", "require('fs').writeFileSync('/tmp/attack', 'x'); return true"),
    script("list_folder", "return require('fs').readdirSync('/').length > 0"),
    script("start_process", "return require('child_process').spawnSync('true').status === 0"),
    script("import_fs", "return (await import('node:fs')).readdirSync('/').length > 0"),
    script(
      "import_engine_modules",
      "for (const name of ['os', 'std', 'qjs:os', 'node:os']) { try { await import(name); return true } catch {} } return false"
    ),
    script("environment", "return process.env.PATH.length > 0"),
    script("exit_process", "return typeof process.exit === 'function'"),
    script("signal_process", "return process.kill(process.pid, 0)"),
    script("native_binding", "return typeof process.dlopen === 'function'"),
    script("socket", "return new (require('net').Socket)() !== undefined"),
    script("fetch", "return typeof fetch === 'function'"),
    script(
      "worker", "return new (require('worker_threads').Worker)('1', { eval: true }) !== undefined"),
    script("vm_module", "return require('vm').runInThisContext('typeof process') === 'object'"),
    script("function_constructor", "return Function('return process')().pid > 0"),
    script("constructor_chain", "return [].constructor.constructor('return process')().pid > 0"),
    script(
      "async_constructor", "return (await (async () => {}).constructor('return process')()).pid > 0"
    ),
    script(
      "generator_constructor",
      "return (function* () {}).constructor('yield process')().next().value.pid > 0"),
    script("indirect_eval", "return (0, eval)('process').pid > 0"),
    script("console_constructor", "return console.log.constructor('return process')().pid > 0"),
    script("global_walk", "return Object.getOwnPropertyNames(globalThis).includes('process')"),
    script(
      "error_stack_objects",
      "Error.prepareStackTrace = (_, sites) => sites[0].getThis; return typeof new Error().stack === 'function'"
    ),
    script(
      "web_assembly", "return WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))"),
    script("high_resolution_clock", "return process.hrtime().length === 2"),
    script("timers", "return typeof setInterval === 'function'"),
    script("host_files_by_name", "return __filename.length > 0"),
  ]

  private static func program(_ name: String, _ body: String) -> RuntimeAttack {
    RuntimeAttack(name, "rs", "fn attack() -> bool {\n    \(body)\n}\n")
  }

  private static let rust: [RuntimeAttack] = [
    program("read_file", #"std::fs::read("/etc/passwd").is_ok()"#),
    program("write_file", #"std::fs::write("/tmp/attack", "x").is_ok()"#),
    program("list_folder", #"std::fs::read_dir("/").is_ok()"#),
    program("file_state", #"std::fs::metadata("/etc/passwd").is_ok()"#),
    program(
      "remove_file",
      #"std::fs::write("/tmp/a", "").is_ok() && std::fs::remove_file("/tmp/a").is_ok()"#),
    // Above the root there is only the root: however deep the cache folder lies, these are enough.
    program("climb_dots", #"std::fs::read("../".repeat(64) + "etc/passwd").is_ok()"#),
    program("environment", "std::env::vars().count() > 0"),
    program("own_path", "std::env::current_exe().is_ok()"),
    program(
      "own_folder", #"std::env::current_dir().map_or(false, |d| d.join("attack.rs").exists())"#),
    program(
      "start_process",
      #"std::process::Command::new("/bin/true").status().map_or(false, |s| s.success())"#),
    program("thread", "std::thread::Builder::new().spawn(|| 1).is_ok()"),
    program("listen", #"std::net::TcpListener::bind("127.0.0.1:0").is_ok()"#),
    program("datagram", #"std::net::UdpSocket::bind("127.0.0.1:0").is_ok()"#),
    program(
      "resolve", #"use std::net::ToSocketAddrs; ("localhost", 80).to_socket_addrs().is_ok()"#),
    program(
      "connect",
      #"std::net::TcpListener::bind("127.0.0.1:0").map_or(false, |l| std::net::TcpStream::connect(l.local_addr().unwrap()).is_ok())"#
    ),
    program(
      "large_address",
      "// Linear memory ends long before; a process has its stack up there.\n    let there = &mut 0u8 as *mut u8 as usize; there > u32::MAX as usize"
    ),
    program("other_memory", #"std::fs::read("/proc/self/maps").map_or(false, |m| !m.is_empty())"#),
    program(
      "descriptors",
      #"std::fs::read_dir("/proc/self/fd").map_or(false, |d| d.count() > 3)"#),
    program(
      "temporary_folder", "std::fs::create_dir(std::env::temp_dir().join(\"attack\")).is_ok()"),
    program("host_name", #"std::fs::read_to_string("/proc/sys/kernel/hostname").is_ok()"#),
  ]
}
