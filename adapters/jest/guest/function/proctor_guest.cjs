// What proctor_call.mjs and proctor_code.cjs have in common in node: the request, the channel (of
// proctor_channel.cjs), and the places of errors.
//
// The user's code runs in the same realm: nothing here is a boundary; what is used after it is loaded
// is taken before.
"use strict";

const fs = require("node:fs");
const { pathToFileURL } = require("node:url");
const makeCore = require("./proctor_core.cjs");
const takeChannel = require("./proctor_channel.cjs");

const { realpathSync } = fs;
const decode = decodeURIComponent;
const isBuffer = Buffer.isBuffer;
const execPath = process.execPath;
const OWN_FILES = pathToFileURL(__dirname + "/proctor_");

const core = makeCore({ isBuffer, isOutOfMemory: null });
const { slice, indexOf, codeAt, raisedRecord, describeError } = core;

Error.stackTraceLimit = 50; // the user's frames may lie below many of a package

const { request, send, finish } = takeChannel("proctor_call", slice);
const { file, root } = request;

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

let mapped = (text) => text;

/** From now on, the file's lines in stacks are what `lineOf` makes of line and column. */
function mapLines(file, lineOf) {
  mapped = (text) => {
    let result = "";
    let done = 0;
    for (let at = indexOf(text, file + ":"); at >= 0; at = indexOf(text, file + ":", at + 1)) {
      const line = numberAt(text, at + file.length + 1);
      const column = numberAt(text, line.end + 1);
      if (line.end === at + file.length + 1) continue;
      let place = 0;
      try {
        place = lineOf(line.value, column.value || 1);
      } catch {}
      if (!(place > 0)) continue;
      result += slice(text, done, at) + file + ":" + place;
      done = line.end;
    }
    return result + slice(text, done);
  };
}

function numberAt(text, start) {
  let value = 0;
  let end = start;
  for (; codeAt(text, end) >= 48 && codeAt(text, end) <= 57; end++) value = value * 10 + codeAt(text, end) - 48;
  return { value, end };
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
      const { value: line, end } = numberAt(text, colon + 1);
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
  let place = placeOf(mapped(shown.stack), isImport && shown.kind === "SyntaxError");
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

module.exports = { core, request, send, finish, raised, placeOf, mapLines, mapped: (text) => mapped(text) };
