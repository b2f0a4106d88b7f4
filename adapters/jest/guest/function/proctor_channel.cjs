// The request of a call, and the channel that its records go over: what the programs that run in node share.
//
// proctor_call.mjs has the user's code in the same realm: what is used after it is loaded is taken before.
"use strict";

const { openSync, writeSync, fstatSync, readSync, closeSync, readFileSync } = require("node:fs");

const exitNow = process.reallyExit.bind(process); // process.exit runs the user's exit listeners
const FRAME_BYTES = 4096; // PIPE_BUF on Linux: a write up to this size is never mixed with another
const TEXTS = ["file", "root", "function"];
const NUMBERS = ["output_limit", "items"];

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

function readRequest(path) {
  const request = JSON.parse(readFileSync(path, "utf8"));
  for (const name of TEXTS) {
    if (typeof request[name] !== "string") throw new Error(name + " must be a string");
  }
  for (const name of NUMBERS) {
    if (!Number.isInteger(request[name])) throw new Error(name + " must be an integer");
  }
  return request;
}

/**
 * Takes request and channel out of the environment: {request, send(record), finish(record)}, records as JSON text in
 * ASCII. `finish` sends the final one and ends the process. A wrong request ends it with 2. `slice` is that of
 * proctor_core.cjs.
 */
module.exports = function takeChannel(program, slice) {
  function fail(message) {
    writeSync(2, program + ": " + message + "\n");
    exitNow(2);
  }

  const names = ["PROCTOR_REQUEST", "PROCTOR_CHANNEL", "PROCTOR_NONCE"];
  const [path, channel, nonce] = names.map((name) => {
    const value = process.env[name];
    delete process.env[name];
    return value;
  });
  if (!path || !channel || !nonce) fail(names.join(", ") + " must be set");
  wipeInitialEnvironment(nonce);
  let request, descriptor, identity;
  try {
    request = readRequest(path);
    descriptor = openSync(channel, "w");
    identity = fstatSync(descriptor);
  } catch (error) {
    fail("the request cannot be used: " + error.message);
  }

  /** Opens the pipe again if the user's code closed it, or put another file in its place. */
  function checkDescriptor() {
    try {
      const found = fstatSync(descriptor);
      if (found.ino === identity.ino && found.dev === identity.dev) return;
    } catch {}
    descriptor = openSync(channel, "w");
  }

  let sequence = 0;
  let finished = false;

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

  function finish(record, status = 0) {
    if (finished) return;
    finished = true;
    send(record);
    exitNow(status);
  }

  return { request, send, finish };
};
