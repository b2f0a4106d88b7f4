// Calls one function of a JavaScript file with JSON arguments and reports over a channel.
//
//     PROCTOR_REQUEST=request.json PROCTOR_CHANNEL=pipe PROCTOR_NONCE=hex node proctor_call.mjs
//
// proctor_core.cjs must lie beside this file. docs/functions.md has the request, the
// records and the JSON forms of values. The user's code runs in the same realm:
// nothing here is a boundary; what is used after it is loaded is taken before.
//
// Exit code: 0 a final record was sent; 2 no or a wrong request.
import fs from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const makeCore = require("./proctor_core.cjs");

const { openSync, writeSync, fstatSync, readSync, closeSync, readFileSync, realpathSync } = fs;
const { apply } = Reflect;
const exitNow = process.reallyExit.bind(process); // process.exit runs the user's exit listeners
const listenerCount = process.listenerCount.bind(process);
const now = process.hrtime.bigint;
const processorUsage = process.cpuUsage.bind(process);
const parse = JSON.parse;
const stringify = JSON.stringify;
const toNumber = Number;
const STARTED = now();
const decode = decodeURIComponent;
const isBuffer = Buffer.isBuffer;
const execPath = process.execPath;
const FRAME_BYTES = 4096; // PIPE_BUF on Linux: a write up to this size is never mixed with another
const OWN_FILES = new URL("proctor_", import.meta.url);

const core = makeCore({ isBuffer, isOutOfMemory: null, memoryRecord: "" });
const { quote, slice, indexOf, lastIndexOf, codeAt, raisedRecord, describeError } = core;

Error.stackTraceLimit = 50; // the user's frames may lie below many of a package

function fail(message) {
  writeSync(2, "proctor_call: " + message + "\n");
  exitNow(2);
}

// ---------------------------------------------------------------- request and channel

function takeEnvironment() {
  const names = ["PROCTOR_REQUEST", "PROCTOR_CHANNEL", "PROCTOR_NONCE"];
  const [path, channel, nonce] = names.map((name) => {
    const value = process.env[name];
    delete process.env[name];
    return value;
  });
  if (!path || !channel || !nonce) fail(names.join(", ") + " must be set");
  wipeInitialEnvironment(nonce);
  try {
    const request = JSON.parse(readFileSync(path, "utf8"));
    for (const name of ["file", "root", "function"]) {
      if (typeof request[name] !== "string") throw new Error(name + " must be a string");
    }
    for (const name of ["output_limit", "items"]) {
      if (!Number.isInteger(request[name])) throw new Error(name + " must be an integer");
    }
    return { request, channel, nonce, descriptor: openSync(channel, "w") };
  } catch (error) {
    fail("the request cannot be used: " + error.message);
  }
}

/** Overwrites the secret in /proc/self/environ, which deleting a variable does not. Best effort. */
function wipeInitialEnvironment(secret) {
  try {
    const fields = readFileSync("/proc/self/stat", "latin1").split(") ").pop().split(" ");
    const [start, end] = fields.slice(47, 49).map(Number);
    const memory = openSync("/proc/self/mem", "r+");
    try {
      const bytes = Buffer.alloc(end - start);
      readSync(memory, bytes, 0, bytes.length, start);
      const at = bytes.indexOf(secret);
      if (at >= 0) writeSync(memory, Buffer.alloc(secret.length, "0"), 0, secret.length, start + at);
    } finally {
      closeSync(memory);
    }
  } catch {}
}

const { request, channel, nonce, descriptor: firstDescriptor } = takeEnvironment();
const { file, root, items } = request;
const limit = request.output_limit;
const { timing } = request;
const args = Array.isArray(request.args) ? request.args : request.args === undefined ? [] : [request.args];
let descriptor = firstDescriptor;
let sequence = 0;
let finished = false;
const identity = fstatSync(descriptor);

/** Opens the pipe again if the user's code closed it, or put another file in its place. */
function checkDescriptor() {
  try {
    const found = fstatSync(descriptor);
    if (found.ino === identity.ino && found.dev === identity.dev) return;
  } catch {}
  descriptor = openSync(channel, "w");
}

/** Sends a record, given as JSON text in ASCII. */
function send(record) {
  checkDescriptor();
  let at = 0;
  do {
    const head = "P1 " + nonce + " fn " + sequence++ + " ";
    const part = slice(record, at, at + FRAME_BYTES - head.length - 3);
    at += part.length;
    writeSync(descriptor, head + (at < record.length ? "+ " : ". ") + part + "\n", null, "latin1");
  } while (at < record.length);
}

/** Sends the final record and ends the process. */
function finish(record) {
  if (finished) return;
  finished = true;
  send(record);
  exitNow(0);
}

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
  return inIteration(raisedRecord(shown.kind, shown.message, place && place.file, place && place.line, isImport));
}

/** The record of an end, with the call of the benchmark in which it came. */
function inIteration(record) {
  return timed === null ? record : slice(record, 0, -1) + ',"iteration":' + (timed.ended || 1) + "}";
}

/** The same for an end in the middle of a batch, whose calls are counted at its end. */
function inIterationFrom(record) {
  return timed === null ? record : slice(record, 0, -1) + ',"iteration":' + (timed.ended + 1) + ',"inexact":true}';
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
  if (timing !== undefined) {
    timed = core.makeCalls(found, items);
    measureAndFinish();
    return;
  }
  const start = now();
  core.run(found, args, items, (value, truncated) => {
    const nanoseconds = "" + (now() - start);
    finish(core.resultRecord(value, truncated, limit, items, nanoseconds));
  }, (error) => finish(raised(error, false)));
}

// ---------------------------------------------------------------- timing; proctor_host.py has the same, with reasons

const WARM_CALLS_NS = 1e7;
const WARM_SHARE = 5;
const CLOCK_SHARE = 100;
const FEWEST_SAMPLES = 20;
const MOST_SAMPLES = 100_000;
const PROGRESS_NS = 5e7;
const MOST_ARGUMENTS = 4 << 20;

let timed = null;

const CHILDREN_NS = 5e7; // how often they are looked at
const TICK_NS = 1e7;
let children = { seen: 0, processor: 0 };

/** Nanoseconds of processor time of processes that were started and have ended; node has no word for it. */
function childrenTime() {
  try {
    const text = readFileSync("/proc/self/stat", "latin1");
    let at = lastIndexOf(text, ") ") + 1; // before field 3
    for (let field = 3; field < 16; field++) at = indexOf(text, " ", at + 1);
    const middle = indexOf(text, " ", at + 1);
    return (toNumber(slice(text, at, middle)) + toNumber(slice(text, middle, indexOf(text, " ", middle + 1)))) * TICK_NS;
  } catch {
    return children.processor; // no descriptor is left
  }
}

/** Nanoseconds of the wall clock and of the processor since the start. */
function spent() {
  const wall = toNumber(now() - STARTED);
  if (wall - children.seen > CHILDREN_NS) children = { seen: wall, processor: childrenTime() };
  const { user, system } = processorUsage();
  return { wall, processor: (user + system) * 1000 + children.processor };
}

/** What the measurement may still take: whether so many nanoseconds fit, until an end or a part of the way to it. */
function makePace() {
  const began = spent();
  const end = { wall: timing.wall_ms * 1e6, processor: timing.processor_ms * 1e6 };
  const fits = (expected, until) => {
    const { wall, processor } = spent();
    const share = (processor - began.processor) / (wall - began.wall || 1);
    return wall + expected < until.wall && processor + expected * share < until.processor;
  };
  const part = (share) => {
    const { wall, processor } = spent();
    return { wall: wall + (end.wall - wall) / share, processor: processor + (end.processor - processor) / share };
  };
  return { end, fits, part };
}

const argumentsText = stringify(args);
const areFixed = args.every((one) => typeof one !== "object" || one === null);

let lists = [];

/** Arguments for so many calls, none of which another call has had if it could change them. */
function listsOf(size) {
  if (areFixed && lists.length === size) return lists;
  lists = [];
  for (let index = 0; index < size; index++) core.push(lists, areFixed ? args : parse(argumentsText));
  return lists;
}

/** Makes so many calls; the nanoseconds they took, or a promise of them. */
function runBatch(size) {
  const given = listsOf(size);
  const start = now();
  const waiting = core.callAll(timed, given);
  if (waiting === undefined) return toNumber(now() - start);
  return (async () => {
    await waiting;
    return toNumber(now() - start);
  })();
}

function least(a, b) {
  return a < b ? a : b;
}

function most(a, b) {
  return a > b ? a : b;
}

const down = (value) => value - (value % 1);
const up = (value) => (value % 1 > 0 ? down(value) + 1 : value);

/** What the clock shows for a batch without calls: the middle of 31, found without a sort that may be the user's. */
async function clockCost() {
  const steps = [];
  for (let index = 0; index < 31; index++) core.push(steps, await runBatch(0));
  for (let index = 0; ; index++) {
    let below = 0;
    let same = 0;
    for (let other = 0; other < 31; other++) {
      if (steps[other] < steps[index]) below++;
      else if (steps[other] === steps[index]) same++;
    }
    if (below <= 15 && below + same > 15) return steps[index];
  }
}

let told = STARTED;

function tell() {
  if (now() - told < PROGRESS_NS) return;
  told = now();
  send('{"event":"progress","iteration":' + (timed.ended + 1) + "}");
}

/** Not with `then`, which the user's code may have replaced. */
async function measureAndFinish() {
  let record;
  try {
    record = await measure();
  } catch (error) {
    record = raised(error, false);
  }
  finish(record);
}

async function measure() {
  const pace = makePace();
  const largest = most(1, down(MOST_ARGUMENTS / argumentsText.length));
  const first = await runBatch(1);
  const clock = await clockCost();
  const warm = pace.part(WARM_SHARE);
  let each = most(1, first);
  let warmup = 1;
  let isWarm = false;
  for (let before = 0, beforeThat = 0; !isWarm; ) { // of the last two rounds; the first call is none
    const size = most(1, least(largest, down(WARM_CALLS_NS / each)));
    if (!pace.fits(each * size, warm)) break;
    beforeThat = before;
    before = warmup > 1 ? each : 0;
    each = most(1e-3, (await runBatch(size)) / size);
    warmup += size;
    isWarm = beforeThat > 0 && most(each, most(before, beforeThat)) <= 1.05 * least(each, least(before, beforeThat));
    tell();
  }
  let batch = most(1, least(largest, up((CLOCK_SHARE * clock) / each)));
  let left = timing.iterations;
  if (left === undefined) left = timing.samples * batch;
  else {
    batch = most(1, most(least(batch, left / FEWEST_SAMPLES), left / MOST_SAMPLES));
    batch = up(left / most(1, down(left / batch)));
  }
  let batches = "";
  let calls = 0;
  let worst = each * batch;
  while (calls < left && pace.fits(worst, pace.end)) {
    const size = least(batch, left - calls);
    const nanoseconds = await runBatch(size);
    batches += (calls ? "," : "") + nanoseconds;
    calls += size;
    worst = most(worst, nanoseconds);
    tell();
  }
  if (calls === 0) {
    batches = "" + first;
    calls = batch = 1;
    warmup--;
  }
  return '{"event":"measured","measurement":{"batch_size":' + batch + ',"calls":' + calls + ',"warmup_calls":' + warmup +
    ',"warm":' + isWarm + ',"clock_ns":' + clock + ',"gc":"as node runs it, within samples too","runtime":' +
    quote("node " + process.version) + ',"batches":[' + batches + "]}}";
}

let phase = "import";
let drained = false;
// Of the user's code that ends in another way than by a value:
process.on("beforeExit", () => {
  drained = true;
  finish(inIteration(raisedRecord("UnsettledPromise", "the promise never settles: nothing is left to wait for", file, null, phase === "import")));
});
process.on("exit", (code) => {
  if (!drained) finish(inIterationFrom(raisedRecord("ProcessExit", "process.exit(" + (typeof code === "number" ? code : 0) + ")", file, null, phase === "import")));
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
