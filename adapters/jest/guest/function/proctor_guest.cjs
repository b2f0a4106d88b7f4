// What proctor_call.mjs and proctor_code.cjs have in common in node: the request, the channel, and the
// places of errors.
//
// The user's code runs in the same realm: nothing here is a boundary; what is used after it is loaded
// is taken before.
"use strict";

const fs = require("node:fs");
const { pathToFileURL } = require("node:url");
const makeCore = require("./proctor_core.cjs");

const { openSync, writeSync, fstatSync, readSync, closeSync, readFileSync, realpathSync } = fs;
const exitNow = process.reallyExit.bind(process); // process.exit runs the user's exit listeners
const decode = decodeURIComponent;
const isBuffer = Buffer.isBuffer;
const execPath = process.execPath;
const FRAME_BYTES = 4096; // PIPE_BUF on Linux: a write up to this size is never mixed with another
const OWN_FILES = pathToFileURL(__dirname + "/proctor_");

const core = makeCore({ isBuffer, isOutOfMemory: null, memoryRecord: "" });
const { slice, indexOf, codeAt, raisedRecord, describeError } = core;

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
const { file, root } = request;
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
function finish(record, status = 0) {
  if (finished) return;
  finished = true;
  send(record);
  exitNow(status);
}

// ---------------------------------------------------------------- errors and their place

// Prefixes of places in stacks: as paths and as URLs, as given and with links resolved.
const prefixes = [];
for (const folder of new Set([root, safeRealPath(root), request.work ?? root])) {
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

module.exports = { core, request, send, finish, raised, placeOf, lineOfSyntaxError };
