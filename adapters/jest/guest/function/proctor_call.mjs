// Calls one function of a JavaScript file with JSON arguments and reports over a channel.
//
//     PROCTOR_REQUEST=request.json PROCTOR_CHANNEL=pipe PROCTOR_NONCE=hex node proctor_call.mjs
//
// proctor_guest.cjs and proctor_core.cjs must lie beside this file. docs/functions.md has the request, the
// records and the JSON forms of values. The user's code runs in the same realm:
// nothing here is a boundary; what is used after it is loaded is taken before.
//
// Exit code: 0 a final record was sent; 2 no or a wrong request.
import fs from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const { core, request, send, finish, raised } = require("./proctor_guest.cjs");

const { readFileSync } = fs;
const listenerCount = process.listenerCount.bind(process);
const now = process.hrtime.bigint;
const { raisedRecord } = core;
const { file, items } = request;
const limit = request.output_limit;
const args = Array.isArray(request.args) ? request.args : request.args === undefined ? [] : [request.args];

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
