// Calls one function of a JavaScript file in an isolate of the project's own isolated-vm.
//
//     PROCTOR_REQUEST=... PROCTOR_CHANNEL=... PROCTOR_NONCE=... node --no-node-snapshot proctor_call_isolated.cjs PACKAGE
//
// PACKAGE is the folder of isolated-vm; node's own snapshot and its isolates do not go together. proctor_core.cjs,
// proctor_vm.js and proctor_channel.cjs must lie beside this file. docs/functions.md has the request and the records.
//
// Only strings cross between this program and the isolate. The guest can print, and nothing else: no modules, files,
// timers, network, processes. isolated-vm itself is code of the workspace that runs in this program, native code
// too: this program belongs inside the sandbox of the operating system.
//
// Scripts and modules are told apart as in proctor_call_quickjs.py.
//
// Exit code: 0 a final record was sent; 2 no or a wrong request. After memory_limit it kills itself.
"use strict";
const { readFileSync, writeSync } = require("node:fs");
const makeCore = require("./proctor_core.cjs");
const takeChannel = require("./proctor_channel.cjs");

const core = makeCore({ isBuffer: null, isOutOfMemory: null });
const { quote, slice, cut, describeError, raisedRecord, inputLine } = core;
const { request, send, finish } = takeChannel("proctor_call_isolated", slice);
const { file, output_limit: outputLimit, items } = request;
const folder = process.argv[2];

const FINAL_EVENTS = ["returned", "raised", "not_found", "unserializable", "too_large"];
const SMALLEST_MEMORY_MB = 8; // isolated-vm takes no less
const DEFAULT_MEMORY_MB = 4096; // without a limit: where V8 stops by itself
const memoryMB = Math.max(SMALLEST_MEMORY_MB, request.memory_mb ?? DEFAULT_MEMORY_MB);
const SOURCE = "<input>"; // the name of the user's source in stacks
const SYNTAX_PLACE = / \[<input>:(\d+):\d+\]$/; // isolated-vm adds it to messages

/** The project's isolated-vm does not do what it should. */
function unavailable(problem) {
  const words = cut(problem.split("\n")[0], 500);
  finish('{"event":"unavailable","message":' + quote("the project's isolated-vm (" + folder + ") cannot be used with node " +
    process.version + ": " + words + "; install it anew (npm rebuild isolated-vm), or remove it: then QuickJS is used") + "}");
}

// No user's code runs in this realm: what goes wrong in it is isolated-vm's doing.
process.on("exit", () => unavailable("it ended the process, or does not answer"));
process.on("uncaughtException", (error) => unavailable(String(error && error.message)));

/**
 * Does not return. What is left of the isolate cannot be cleared away: its thread may never come back, and node
 * crashes when it ends in order.
 */
function reachedMemoryLimit() {
  send('{"event":"memory_limit"}');
  process.kill(process.pid, "SIGKILL");
}

// ---------------------------------------------------------------- the isolate

function print(stream, text) {
  const bytes = Buffer.from(JSON.parse(text) + "\n");
  for (let done = 0; done < bytes.length;) done += writeSync(stream === "error" ? 2 : 1, bytes, done);
}

/** The host's program inside the isolate. */
function hostSource() {
  const read = (name) => readFileSync(__dirname + "/" + name, "utf8");
  return read("proctor_vm.js").replace("/*CORE*/", () => read("proctor_core.cjs"));
}

// WebAssembly's memory is not counted, threads have no business here, and stacks are told as text, not as objects.
const PREPARATION = `
  for (const name of ["WebAssembly", "SharedArrayBuffer", "Atomics"]) delete globalThis[name];
  Object.defineProperty(Error, "prepareStackTrace", { get() {}, set() {} });
  typeof process + typeof require + (Object.getPrototypeOf(proctorEmit) === Function.prototype)`;

/** An isolate with the host's program: {isolate, context, run(source, name, options), ask(operation, text...)}. */
async function makeGuest(ivm) {
  const isolate = new ivm.Isolate({
    memoryLimit: memoryMB,
    onCatastrophicError: reachedMemoryLimit,
  });
  const context = await isolate.createContext();
  await context.global.set("proctorEmit", new ivm.Callback(print));
  const run = async (source, name, options) =>
    (await isolate.compileScript(source, { filename: name })).run(context, options);
  const found = await run(PREPARATION, "<proctor>");
  // An imitation, such as projects have for their tests, need not hold anything.
  if (found !== "undefinedundefinedtrue") throw new Error("what it makes is no isolate");
  const host = await run(hostSource(), "<proctor>", { reference: true });
  const ask = (...texts) => host.apply(undefined, texts);
  if ((await ask("state")) !== "nothing") throw new Error("what it makes is no isolate");
  return { isolate, context, run, ask };
}

// ---------------------------------------------------------------- what came of it

/** The final record of an error that left the isolate. */
function raised(guest, error, isImport) {
  if (guest.isolate.isDisposed) reachedMemoryLimit();
  const shown = describeError(error);
  const place = shown.kind === "SyntaxError" ? SYNTAX_PLACE.exec(shown.message) : null;
  const message = place === null ? shown.message : shown.message.slice(0, place.index);
  const line = place === null ? inputLine(shown.stack, "", Infinity) : Number(place[1]);
  return raisedRecord(shown.kind, message, file, line, isImport);
}

/** Whether there is no room for another buffer, which lies outside of V8's heap. Anybody can throw such an error: it counts
 * when the isolate has half of its memory in use. */
async function isOutOfBuffers(guest, { event, kind, message }) {
  if (event !== "raised" || kind !== "RangeError" || message !== "Array buffer allocation failed") return false;
  const { used_heap_size: heap, externally_allocated_size: outside } = await guest.isolate.getHeapStatistics();
  return heap + outside > (memoryMB * 2 ** 20) / 2;
}

/** A record the isolate has made, as it is; but only if it is one. */
async function checked(guest, text) {
  try {
    const record = JSON.parse(text);
    if (await isOutOfBuffers(guest, record)) return '{"event":"memory_limit"}';
    if (FINAL_EVENTS.includes(record.event) && /^[\x20-\x7e]*$/.test(text)) return text;
  } catch {}
  return raisedRecord("InternalError", "the guest has spoiled the report of its result", file, null, false);
}

const refused = (message, line) =>
  '{"event":"refused","message":' + quote(cut(message, 1000)) + ',"line":' + line + "}";

function refusedImport(name, source) {
  const index = source.split("\n").findIndex((line) => line.includes(name + "'") || line.includes(name + '"'));
  return refused("the VM has no other modules: could not load module '" + name + "'", index < 0 ? null : index + 1);
}

// ---------------------------------------------------------------- the call

const looksLikeModule = (source) => /^\s*(?:export|import)|await/m.test(source);

/** The source as {script} or {module}: a .mjs is a module, a .cjs a script, a .js a script if it is one by its syntax. */
async function compile(guest, source) {
  const origin = { filename: SOURCE };
  if (!file.endsWith(".mjs")) {
    try {
      return { script: await guest.isolate.compileScript(source, origin) };
    } catch (error) {
      if (file.endsWith(".cjs") || !looksLikeModule(source)) throw error;
    }
  }
  return { module: await guest.isolate.compileModule(source, origin) };
}

/** Runs a module, by way of one whose other export has a value when the user's has been evaluated. */
async function evaluate(guest, module) {
  const wrapper = await guest.isolate.compileModule(
    'export * as user from "user"; export const isLoaded = true;', { filename: "<proctor>" });
  await wrapper.instantiate(guest.context, () => module);
  await wrapper.evaluate();
  await guest.ask("takeModule", wrapper.namespace.derefInto());
}

/** Runs the source: the final record if that fails, else null. */
async function load(guest, source) {
  try {
    const { script, module } = await compile(guest, source);
    if (script) {
      await script.run(guest.context);
      return null;
    }
    if (module.dependencySpecifiers.length > 0) return refusedImport(module.dependencySpecifiers[0], source);
    await evaluate(guest, module);
    if ((await guest.ask("state")) === "done") return null;
    return await checked(guest, await guest.ask("report", file, "0", "0", "0", "yes"));
  } catch (error) {
    return raised(guest, error, true);
  }
}

/** The final record if the function cannot be had, else null. */
async function find(guest, source, isModule) {
  const first = request.function.split(".")[0];
  const isIdentifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(first);
  const text = await guest.ask("find", request.function, isIdentifier ? first : "", file);
  if (text === "") return null;
  const record = await checked(guest, text);
  const { event, message } = JSON.parse(record);
  return event === "not_found" ? core.nearRecord(message, request.function, isModule, source) : record;
}

/** The final record of the call. */
async function call(guest) {
  let stray; // a rejection that nobody handles; what was awaited is settled all the same
  const start = guest.isolate.wallTime;
  try {
    await guest.ask("call", JSON.stringify(request.args ?? []), String(items));
  } catch (error) {
    if (guest.isolate.isDisposed) reachedMemoryLimit();
    stray = error;
  }
  const nanoseconds = guest.isolate.wallTime - start;
  if (stray !== undefined && (await guest.ask("state")) === "pending") return raised(guest, stray, false);
  return checked(guest, await guest.ask("report", file, String(outputLimit), String(items), String(nanoseconds), "no"));
}

function readSource() {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    finish(raisedRecord(error.name, error.message, file, null, true));
  }
}

async function main() {
  if (/\.[cm]?ts$/.test(file)) return finish(refused("the VM runs JavaScript, not TypeScript", null));
  const source = readSource();
  let guest;
  try {
    guest = await makeGuest(require(folder));
    await guest.ask("lines", String(source.split("\n").length));
  } catch (error) {
    return unavailable(String(error && error.message));
  }
  try {
    const isModule = async () => (await guest.ask("isModule")) === "yes";
    const problem = (await load(guest, source)) ?? (await find(guest, source, await isModule()));
    if (problem !== null) return finish(problem);
    send('{"event":"started"}');
    finish(await call(guest));
  } catch (error) {
    finish(raised(guest, error, false));
  }
}

main();
