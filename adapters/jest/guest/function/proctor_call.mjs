// Calls one function of a JavaScript file with JSON arguments and reports over a channel.
//
//     PROCTOR_REQUEST=request.json PROCTOR_CHANNEL=pipe PROCTOR_NONCE=hex node proctor_call.mjs
//
// The other files of this folder must lie beside this file. docs/functions.md has the request, the
// records and the JSON forms of values. The user's code runs in the same realm:
// nothing here is a boundary; what is used after it is loaded is taken before.
//
// Exit code: 0 a final record was sent; 2 no or a wrong request.
import fs from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const guest = require("./proctor_guest.cjs");

const { core, request, send, finish } = guest;
const { readFileSync } = fs;
const listenerCount = process.listenerCount.bind(process);
const now = process.hrtime.bigint;
const processorUsage = process.cpuUsage.bind(process);
const parse = JSON.parse;
const stringify = JSON.stringify;
const toNumber = Number;
const STARTED = now();
const { quote, slice, indexOf, lastIndexOf, raisedRecord } = core;
const { file, items, timing } = request;
const limit = request.output_limit;
const args = Array.isArray(request.args) ? request.args : request.args === undefined ? [] : [request.args];

// ---------------------------------------------------------------- errors

const guestRaised = guest.raised;

function raised(error, isImport) {
  return inIteration(guestRaised(error, isImport));
}

/** The record of an end, with the call of the benchmark in which it came. */
function inIteration(record) {
  return timed === null ? record : slice(record, 0, -1) + ',"iteration":' + (timed.ended || 1) + "}";
}

/** The same for an end in the middle of a batch, whose calls are counted at its end. */
function inIterationFrom(record) {
  return timed === null ? record : slice(record, 0, -1) + ',"iteration":' + (timed.ended + 1) + ',"inexact":true}';
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

const fromImport = (error) => finish(raised(error, true));

/** By the project's own transpiler. What TypeScript makes of a module for CommonJS has the exports by their names. */
function loadTypeScript() {
  const typescript = require("./proctor_typescript.cjs");
  if (typescript.install(file) === null) return finish(raisedRecord("Error", typescript.MISSING, file, null, true));
  if (typescript.formatOf(file) === "module") return load();
  const namespace = createRequire(file)(file);
  callFunction(namespace?.__esModule === true ? namespace : { default: namespace });
}

function load() {
  import(pathToFileURL(file).href).then(callFunction, fromImport);
}

process.argv[1] = file;
if (/\.[cm]?ts$/.test(file) && !process.features.typescript) {
  try {
    loadTypeScript();
  } catch (error) {
    fromImport(error);
  }
} else {
  load();
}
