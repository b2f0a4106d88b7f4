// Calls one function of a JavaScript file with JSON arguments and reports over a channel.
//
//     PROCTOR_REQUEST=request.json PROCTOR_CHANNEL=pipe PROCTOR_NONCE=hex node proctor_call.mjs
//
// proctor_core.cjs and proctor_channel.cjs must lie beside this file. docs/functions.md has the request, the
// records and the JSON forms of values. The user's code runs in the same realm:
// nothing here is a boundary; what is used after it is loaded is taken before.
//
// Exit code: 0 a final record was sent; 2 no or a wrong request.
import fs from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const makeCore = require("./proctor_core.cjs");
const takeChannel = require("./proctor_channel.cjs");

const { readFileSync, realpathSync } = fs;
const listenerCount = process.listenerCount.bind(process);
const now = process.hrtime.bigint;
const decode = decodeURIComponent;
const isBuffer = Buffer.isBuffer;
const execPath = process.execPath;
const OWN_FILES = new URL("proctor_", import.meta.url);

const core = makeCore({ isBuffer, isOutOfMemory: null, memoryRecord: "" });
const { quote, slice, indexOf, lastIndexOf, codeAt, raisedRecord, describeError } = core;

Error.stackTraceLimit = 50; // the user's frames may lie below many of a package

const { request, send, finish } = takeChannel("proctor_call", slice);
const { file, root, items } = request;
const limit = request.output_limit;
const args = Array.isArray(request.args) ? request.args : request.args === undefined ? [] : [request.args];

// ---------------------------------------------------------------- errors and their place

// Prefixes of places in stacks: as paths and as URLs, as given and with links resolved.
const prefixes = [];
for (const folder of new Set([root, safeRealPath(root)])) {
  const path = folder.endsWith("/") ? folder : folder + "/";
  prefixes.push(path); // even places: paths; odd ones: URLs
  prefixes.push(pathToFileURL(path).href);
}
const ownPrefixes = [OWN_FILES.href, decodeURIComponent(OWN_FILES.pathname)];

function safeRealPath(path) {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** {file, line} of a place in a line of a stack, or null where it is none in the project. */
function placeIn(text) {
  for (let index = 0; index < prefixes.length; index++) {
    let start = indexOf(text, prefixes[index]);
    if (start < 0 || indexOf(text, "/node_modules/", start) >= 0) continue;
    if (indexOf(text, ownPrefixes[0]) >= 0 || indexOf(text, ownPrefixes[1]) >= 0) continue;
    const isUrl = index % 2 === 1;
    if (!isUrl && start > 0 && codeAt(text, start - 1) === 47) continue; // "//": within a URL
    for (let colon = indexOf(text, ":", start + prefixes[index].length); colon >= 0; colon = indexOf(text, ":", colon + 1)) {
      let line = 0;
      let end = colon + 1;
      for (; codeAt(text, end) >= 48 && codeAt(text, end) <= 57; end++) line = line * 10 + codeAt(text, end) - 48;
      if (end === colon + 1) continue;
      let path = slice(text, start + (isUrl ? 7 : 0), colon);
      try {
        if (isUrl) path = decode(path);
      } catch {}
      const query = isUrl ? indexOf(path, "?") : -1;
      return { file: query < 0 ? path : slice(path, 0, query), line };
    }
  }
  return null;
}

/** The innermost place of the project in a stack. A SyntaxError has its own in the first line. */
function placeOf(stack, isSyntaxError) {
  let start = 0;
  while (start < stack.length) {
    let end = indexOf(stack, "\n", start);
    if (end < 0) end = stack.length;
    const text = slice(stack, start, end);
    if (indexOf(text, "    at ") === 0 || (isSyntaxError && start === 0)) {
      const place = placeIn(text);
      if (place !== null) return place;
    }
    start = end + 1;
  }
  return null;
}

function raised(error, isImport) {
  const shown = describeError(error);
  let place = placeOf(shown.stack, isImport && shown.kind === "SyntaxError");
  if (isImport && place === null) {
    place = { file, line: shown.kind === "SyntaxError" ? lineOfSyntaxError() : null };
  }
  return raisedRecord(shown.kind, shown.message, place && place.file, place && place.line, isImport);
}

/** Node keeps the line of an ES module's SyntaxError from programs, but prints it. */
function lineOfSyntaxError() {
  try {
    const { spawnSync } = require("node:child_process");
    const { stderr } = spawnSync(execPath, ["--check", file], { env: {}, encoding: "utf8", timeout: 5000, stdio: ["ignore", "ignore", "pipe"] });
    const place = placeIn(slice(stderr, 0, indexOf(stderr, "\n")));
    return place !== null && place.file === file ? place.line : null;
  } catch {
    return null;
  }
}

// ---------------------------------------------------------------- the call

/** A function from a name to what the module exports by it. CommonJS modules export one object, as default. */
function exportsOf(namespace) {
  return (name, found) => {
    const own = core.hasOwn(namespace, name) ? namespace[name] : undefined;
    const main = core.hasOwn(namespace, "default") ? namespace.default : undefined;
    const inner = core.member(main, name);
    if (inner !== undefined && (own === undefined || own === inner)) {
      found.self = main;
      return inner;
    }
    if (own !== undefined) return own;
    return typeof main === "function" && main.name === name ? main : undefined;
  };
}

function callFunction(namespace) {
  let found;
  try {
    found = core.find(exportsOf(namespace), request.function, names, true);
  } catch (error) {
    return finish(raised(error, false));
  }
  if (found.record !== null) return finish(found.record);
  send('{"event":"started"}');
  phase = "call";
  const start = now();
  core.run(found, args, items, (value, truncated) => {
    const nanoseconds = "" + (now() - start);
    finish(core.resultRecord(value, truncated, limit, items, nanoseconds));
  }, (error) => finish(raised(error, false)));
}

let phase = "import";
let drained = false;
// Of the user's code that ends in another way than by a value:
process.on("beforeExit", () => {
  drained = true;
  finish(raisedRecord("UnsettledPromise", "the promise never settles: nothing is left to wait for", file, null, phase === "import"));
});
process.on("exit", (code) => {
  if (!drained) finish(raisedRecord("ProcessExit", "process.exit(" + (typeof code === "number" ? code : 0) + ")", file, null, phase === "import"));
});
process.on("uncaughtException", (error) => {
  if (listenerCount("uncaughtException") === 1) finish(raised(error, phase === "import"));
});

let source = "";
try {
  source = readFileSync(file, "utf8");
} catch {} // the import will tell
const names = core.scanNames(source);

const isTypeScript = /\.[cm]?ts$/.test(file);
if (isTypeScript && !process.features.typescript) {
  finish(raisedRecord("Error", "this node (" + process.version + ") cannot run TypeScript: it needs one that strips types (22.18, 23.6 or newer)",
    file, null, true));
} else {
  process.argv[1] = file;
  import(pathToFileURL(file).href).then(callFunction, (error) => finish(raised(error, true)));
}
