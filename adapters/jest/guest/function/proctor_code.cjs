// Runs a piece of JavaScript in node and reports over a channel.
//
//     PROCTOR_REQUEST=request.json PROCTOR_CHANNEL=pipe PROCTOR_NONCE=hex node proctor_code.cjs
//
// The other files of this folder must lie beside this file. docs/code.md has the request and
// the records. A piece that is a script by its syntax is run as one, and the value of its last statement
// is the result; any other is run as an ES module, and its default export is.
//
// Exit code: the piece's own; 2 no or a wrong request.
"use strict";

const { core, request, send, finish, raised, placeOf, mapLines, mapped } = require("./proctor_guest.cjs");
const fs = require("node:fs");
const vm = require("node:vm");
const { createRequire, stripTypeScriptTypes, SourceMap } = require("node:module");
const { pathToFileURL } = require("node:url");
const { types } = require("node:util");

const { file, name, items } = request;
const limit = request.output_limit;
const { quote, slice, indexOf, raisedRecord, describeError, resultRecord, shortText } = core;
const listenerCount = process.listenerCount.bind(process);
const now = process.hrtime.bigint;
const isPromise = types.isPromise;
const writeSync = fs.writeSync;
const SyntaxErrorClass = SyntaxError;
const then = Function.prototype.call.bind(Promise.prototype.then);
const isTypeScript = file.endsWith(".mts");
const url = pathToFileURL(file).href;

// ---------------------------------------------------------------- how it ends

let start = now();
let pending = false; // a module that waits for something
let final = null; // the record of a result, sent when nothing is left to do

/** Keeps the record of what the piece came to; nothing for undefined. */
function keep(value) {
  pending = false;
  const nanoseconds = "" + (now() - start);
  if (value === undefined) return;
  const record = resultRecord(value, false, limit, items, nanoseconds);
  final = indexOf(record, '{"event":"unserializable"') !== 0 ? record
    : '{"event":"returned","form":"repr","value":' + quote(shortText(value, 3)) + ',"nanoseconds":' + nanoseconds + "}";
}

/** The piece's own lines under its own name. */
function named(text) {
  let result = "";
  let done = 0;
  for (const place of [url, file]) {
    text = result + slice(text, done);
    result = "";
    done = 0;
    for (let at = indexOf(text, place); at >= 0; at = indexOf(text, place, done)) {
      result += slice(text, done, at) + name;
      done = at + place.length;
    }
  }
  return result + slice(text, done);
}

/** Prints an error as node does, and ends. */
function fail(error, isImport) {
  const shown = describeError(error);
  let text = shown.stack !== "" ? shown.stack : "Uncaught " + shown.kind + ": " + shown.message;
  text = mapped(text);
  const own = indexOf(text, "\n    at " + (isImport ? "" : "Script.runInThisContext"));
  if (own >= 0) text = slice(text, 0, own);
  try {
    writeSync(2, named(text) + "\n");
  } catch {} // closed
  finish(raised(error, isImport), 1);
}

process.on("beforeExit", () => {
  if (pending) {
    finish(raisedRecord("UnsettledPromise", "the promise never settles: nothing is left to wait for", file, null, false), 13);
  } else if (process.exitCode) {
    finish('{"event":"exited","code":' + (process.exitCode & 255) + "}", process.exitCode & 255);
  } else {
    finish(final ?? '{"event":"returned","nanoseconds":' + (now() - start) + "}");
  }
});
process.on("exit", (code) => finish('{"event":"exited","code":' + (code & 255) + "}", code & 255));
process.on("uncaughtException", (error) => {
  if (listenerCount("uncaughtException") === 1) fail(error, false);
});

// ---------------------------------------------------------------- the piece

/** What a script finds beside the globals, as in a file of CommonJS. */
function giveModule() {
  const own = { exports: {} };
  const give = { require: createRequire(file), module: own, exports: own.exports, __filename: file,
    __dirname: request.work };
  for (const key of Object.keys(give)) {
    Object.defineProperty(globalThis, key, { value: give[key], writable: true, configurable: true, enumerable: false });
  }
}

/** Whether a source that is no script may be a module. */
function mayBeModule(source) {
  return /^\s*(?:import\b|export\b)/m.test(source) || /\bawait\b|\bimport\.meta\b/.test(source);
}

function runModule() {
  pending = true;
  send('{"event":"started"}');
  start = now();
  then(import(url), (namespace) => keep(namespace.default), (error) => {
    // One of the piece's own syntax has no place in its stack.
    fail(error, error instanceof SyntaxErrorClass && placeOf(describeError(error).stack, false) === null);
  });
}

function runScript(script) {
  giveModule();
  send('{"event":"started"}');
  start = now();
  const value = script.runInThisContext();
  if (!isPromise(value)) return keep(value);
  then(value, keep, (error) => fail(error, false));
}

/** JavaScript as node or the project's own transpiler makes it; null where neither can. */
function withoutTypes(source) {
  if (typeof stripTypeScriptTypes === "function") return stripTypeScriptTypes(source);
  const transpile = require("./proctor_typescript.cjs").install(file);
  return transpile === null ? null : transpile(source, file, "module");
}

/** Node follows source maps in files only: this is the one of a script. */
function followSourceMap(source) {
  const mark = "//# sourceMappingURL=data:application/json;base64,";
  const at = isTypeScript ? source.lastIndexOf(mark) : -1;
  if (at < 0) return;
  const map = new SourceMap(JSON.parse(Buffer.from(source.slice(at + mark.length), "base64").toString()));
  const findEntry = map.findEntry.bind(map);
  mapLines(file, (line, column) => findEntry(line - 1, column - 1).originalLine + 1);
}

function main() {
  let source = fs.readFileSync(file, "utf8");
  process.argv[1] = file;
  if (isTypeScript) {
    try {
      source = withoutTypes(source);
    } catch (error) {
      return fail(error, true);
    }
    if (source === null) return finish(raisedRecord("Error", require("./proctor_typescript.cjs").MISSING, file, null, true), 1);
  }
  let script;
  try {
    script = new vm.Script(source, { filename: file, importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER });
  } catch (error) {
    return mayBeModule(source) ? runModule() : fail(error, true);
  }
  followSourceMap(source);
  try {
    runScript(script);
  } catch (error) {
    fail(error, false);
  }
}

main();
