// What proctor_call.mjs (node) and proctor_vm.js (a bare engine) have in common: finding the function, calling it, describing errors, and the JSON forms of values.
//
// The user's code runs in the same realm and may replace any built-in function or
// write to any prototype. So everything that is used after it has been loaded is
// taken here before: `uncurry` makes functions of methods that look nothing up, and
// the code below keeps away from for-of, spread, array literals that grow, and
// properties that an object may lack - each of these asks a prototype.
"use strict";

module.exports = function makeCore(settings) {
  const { apply, construct, getPrototypeOf } = Reflect;
  const { bind, call } = Function.prototype;
  const uncurry = bind.bind(call);
  const getter = (object, name) => uncurry(Object.getOwnPropertyDescriptor(object, name).get);
  const ObjectPrototype = Object.prototype;
  const keysOf = Object.keys;
  const createObject = Object.create;
  const isArray = Array.isArray;
  const stringify = JSON.stringify;
  const parse = JSON.parse;
  const toText = String;
  const hasOwn = uncurry(ObjectPrototype.hasOwnProperty);
  const functionText = uncurry(Function.prototype.toString);
  const slice = uncurry(String.prototype.slice);
  const indexOf = uncurry(String.prototype.indexOf);
  const codeAt = uncurry(String.prototype.charCodeAt);
  const numberText = uncurry(Number.prototype.toString);
  const numberOf = uncurry(Number.prototype.valueOf);
  const textOf = uncurry(String.prototype.valueOf);
  const booleanOf = uncurry(Boolean.prototype.valueOf);
  const bigText = uncurry(BigInt.prototype.toString);
  const toNumber = Number;
  const dateTime = uncurry(Date.prototype.getTime);
  const dateText = uncurry(Date.prototype.toISOString);
  const mapSize = getter(Map.prototype, "size");
  const mapEach = uncurry(Map.prototype.forEach);
  const setSize = getter(Set.prototype, "size");
  const setEach = uncurry(Set.prototype.forEach);
  const TypedArray = getPrototypeOf(Uint8Array.prototype);
  const typedTag = getter(TypedArray, Symbol.toStringTag);
  const typedLength = getter(TypedArray, "length");
  const bufferLength = getter(ArrayBuffer.prototype, "byteLength");
  const viewBuffer = getter(DataView.prototype, "buffer");
  const viewOffset = getter(DataView.prototype, "byteOffset");
  const viewLength = getter(DataView.prototype, "byteLength");
  const Bytes = Uint8Array;
  const { iterator: ITERATOR, asyncIterator: ASYNC_ITERATOR } = Symbol;
  const ErrorClass = Error;
  const MAX_DEPTH = 100; // parsers of JSON commonly stop at 128
  const MAX_MESSAGE = 4000;
  const MAX_TEXT = 1000;

  // ---------------------------------------------------------------- text

  /** The JSON text of a string, in ASCII. */
  function quote(text) {
    const plain = stringify(text);
    let done = 0;
    let result = "";
    for (let at = 0; at < plain.length; at++) {
      const code = codeAt(plain, at);
      if (code < 127) continue;
      result += slice(plain, done, at) + "\\u" + slice("000" + numberText(code, 16), -4);
      done = at + 1;
    }
    return done ? result + slice(plain, done) : plain;
  }

  const cut = (text, length) => (text.length > length ? slice(text, 0, length - 3) + "..." : text);

  /** The text of anything, whatever its own toString does. */
  function safeText(value) {
    try {
      if (typeof value === "string") return value;
      if (typeof value === "object" && value !== null && !isError(value)) return shortText(value, 3);
      return toText(value);
    } catch {
      return "(its text cannot be had)";
    }
  }

  function isError(value) {
    for (let step = value; step !== null && typeof step === "object"; step = getPrototypeOf(step)) {
      if (step === ErrorClass.prototype) return true;
    }
    return false;
  }

  /** About what an inspector shows, at most MAX_TEXT characters: for values without a JSON form. */
  function shortText(value, depth) {
    if (typeof value === "string") return quote(cut(value, MAX_TEXT));
    if (typeof value === "bigint") return bigText(value) + "n";
    if (typeof value === "function") return cut(functionText(value), 100);
    if (typeof value !== "object" || value === null) return toText(value);
    if (isError(value)) return safeText(value);
    const brackets = isArray(value) ? "[]" : "{}";
    let text = brackets[0];
    try {
      const names = keysOf(value);
      for (let index = 0; index < names.length && text.length < MAX_TEXT; index++) {
        const name = names[index];
        text += (index ? ", " : "") + (isArray(value) ? "" : name + ": ");
        text += depth ? shortText(value[name], depth - 1) : "...";
      }
    } catch {
      text += "...";
    }
    return cut(className(value) + text + brackets[1], MAX_TEXT);
  }

  function className(value) {
    try {
      const name = value.constructor.name;
      return typeof name === "string" && name !== "Object" && name !== "Array" ? cut(name, 100) + " " : "";
    } catch {
      return "";
    }
  }

  // ---------------------------------------------------------------- errors

  /** {kind, message, stack} of anything thrown; stack is text or "". */
  function describeError(error) {
    const found = createObject(null);
    found.kind = error === null ? "null" : typeof error;
    found.message = "";
    found.stack = "";
    found.className = "";
    if (typeof error !== "object" || error === null) {
      found.message = cut(safeText(error), MAX_MESSAGE);
      return found;
    }
    try {
      const name = error.name;
      const own = error.constructor.name; // a class that extends Error rarely sets a name
      if (typeof own === "string") found.className = own;
      found.kind = typeof name === "string" && name !== "" && name !== "Error" ? name : typeof own === "string" ? own : "Error";
    } catch {}
    try {
      found.message = isError(error) || typeof error.message === "string" ? toText(error.message) : shortText(error, 3);
    } catch {
      found.message = "(its text cannot be had)";
    }
    try {
      if (typeof error.stack === "string") found.stack = error.stack;
    } catch {}
    found.kind = cut(found.kind, 200);
    found.message = cut(found.message, MAX_MESSAGE);
    return found;
  }

  function raisedRecord(kind, message, file, line, isImport) {
    return '{"event":"raised","kind":' + quote(kind) + ',"message":' + quote(message) + ',"file":' +
      (file === null ? "null" : quote(file)) + ',"line":' + (line === null ? "null" : line) +
      (isImport ? ',"phase":"import"}' : "}");
  }

  /** The line of the innermost frame in the user's source, which goes by the name <input>, or null. */
  function inputLine(stack, className, userLines) {
    let isFirst = true;
    for (let start = 0, end; start < stack.length; start = end + 1) {
      end = indexOf(stack, "\n", start);
      if (end < 0) end = stack.length;
      const frame = slice(stack, start, end);
      if (indexOf(frame, "    at ") !== 0) continue; // the message
      // the constructor of a class that extends Error may be the first frame of its errors
      const isConstructor = isFirst && className !== "" && indexOf(frame, "    at " + className + " (") === 0;
      isFirst = false;
      const at = indexOf(frame, "<input>:");
      if (isConstructor || at < 0) continue;
      const line = digitsAt(frame, at + 8);
      if (line > 0 && line <= userLines) return line;
    }
    return null;
  }

  function digitsAt(text, at) {
    let number = 0;
    for (; codeAt(text, at) >= 48 && codeAt(text, at) <= 57; at++) number = number * 10 + codeAt(text, at) - 48;
    return number;
  }

  // ---------------------------------------------------------------- names

  /** [{name, line}] of what a source appears to define: a scan of its lines, made before the user's code runs. */
  function scanNames(source) {
    const names = [];
    const lines = source.split("\n");
    let owner = null; // the class whose body we are in, by its closing brace at the same indent
    let indent = "";
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index];
      if (line.length > 2000) continue;
      const add = (name) => names.push({ name, line: index + 1 });
      let match = /^(\s*)(?:export\s+)?(?:default\s+)?(?:abstract\s+)?class\s+([\w$]+)/.exec(line);
      if (match) {
        add(match[2]);
        [, indent, owner] = match;
        if (/\}\s*$/.test(line)) owner = null;
        continue;
      }
      match = /^(?:export\s+)?(?:default\s+)?(?:async\s+)?function\s*\*?\s*([\w$]+)/.exec(line) ||
        /^(?:export\s+)?(?:const|let|var)\s+([\w$]+)\s*(?::[^=]*)?=\s*(?:async\b\s*)?(?:function\b|\(|[\w$]+\s*=>)/.exec(line) ||
        /^(?:module\.)?exports\.([\w$]+)\s*=/.exec(line);
      if (match) {
        if (!names.some((one) => one.name === match[1])) add(match[1]);
        continue;
      }
      if (owner === null) continue;
      if (line.startsWith(indent + "}")) owner = null;
      else {
        match = /^\s+(?:static\s+)?(?:async\s+)?\*?\s*([\w$]+)\s*\([^;]*\{/.exec(line);
        if (match && !/^(?:if|for|while|switch|catch|function|return|constructor|with)$/.test(match[1])) add(owner + "." + match[1]);
      }
    }
    return names;
  }

  function distance(first, second) {
    let row = createObject(null);
    for (let j = 0; j <= second.length; j++) row[j] = j;
    for (let i = 1; i <= first.length; i++) {
      const next = createObject(null);
      next[0] = i;
      for (let j = 1; j <= second.length; j++) {
        const change = row[j - 1] + (first[i - 1] === second[j - 1] ? 0 : 1);
        const other = (row[j] < next[j - 1] ? row[j] : next[j - 1]) + 1;
        next[j] = change < other ? change : other;
      }
      row = next;
    }
    return row[second.length];
  }

  const lower = uncurry(String.prototype.toLowerCase);
  const lastIndexOf = uncurry(String.prototype.lastIndexOf);

  /** The not_found record; names as scanNames gives them. */
  function notFoundRecord(message, wanted, names) {
    const goal = lower(slice(wanted, 0, 200));
    const ranks = createObject(null);
    for (let index = 0; index < names.length; index++) {
      const name = lower(names[index].name);
      const own = distance(slice(goal, lastIndexOf(goal, ".") + 1), slice(name, lastIndexOf(name, ".") + 1)) + 0.5;
      const whole = distance(goal, name);
      ranks[index] = own < whole ? own : whole;
    }
    let near = "";
    for (let count = 0; count < 5 && count < names.length; count++) {
      let best = -1;
      for (let index = 0; index < names.length; index++) {
        if (ranks[index] !== null && (best < 0 || ranks[index] < ranks[best])) best = index;
      }
      ranks[best] = null;
      near += (count ? "," : "") + '{"name":' + quote(names[best].name) + ',"line":' + names[best].line + "}";
    }
    return '{"event":"not_found","message":' + quote(message) + ',"near":[' + near + "]}";
  }

  /** The not_found record with the nearest names, where an engine in which the user's code has run gave `message`. */
  function nearRecord(message, wanted, isModule, source) {
    const names = scanNames(source);
    if (slice(message, -9) !== " the file") return notFoundRecord(message, wanted, names);
    return find(() => undefined, wanted, names, isModule).record;
  }

  const lineOf = (wanted, names) => {
    for (let index = 0; index < names.length; index++) if (names[index].name === wanted) return names[index].line;
    return null;
  };

  /** The part of an object by its name, without what every object and function has; throws what a getter throws. */
  function member(object, name) {
    if (object === null || (typeof object !== "object" && typeof object !== "function")) return undefined;
    for (let step = object; step !== null && step !== ObjectPrototype && step !== Function.prototype; step = getPrototypeOf(step)) {
      if (hasOwn(step, name)) return object[name];
    }
    return undefined;
  }

  /** The parts of a dotted name; String.prototype.split would ask the prototype of strings for a method. */
  function partsOf(wanted) {
    const parts = createObject(null);
    parts.length = 0;
    for (let start = 0, end; start <= wanted.length; start = end + 1) {
      end = indexOf(wanted, ".", start);
      if (end < 0) end = wanted.length;
      parts[parts.length++] = slice(wanted, start, end);
    }
    return parts;
  }

  /**
   * Finds `wanted` ("name", "default", "Class.method", "object.method") from `root`, a function of a name and of
   * the object to give self to.
   * Returns {target, self, isClass} or {record}. A method of a class's prototype gets an instance without arguments.
   */
  function find(root, wanted, names, unexported) {
    const found = createObject(null);
    found.record = null;
    const parts = partsOf(wanted);
    found.self = undefined;
    let value = root(parts[0], found); // may set found.self
    let self = found.self;
    if (value === undefined) {
      const line = unexported ? lineOf(parts[0], names) : null;
      found.record = notFoundRecord(
        line === null ? cut(parts[0], 200) + " is not " + (unexported ? "exported by" : "defined in") + " the file"
          : parts[0] + " is defined at line " + line + " but not exported", wanted, names);
      return found;
    }
    for (let index = 1; index < parts.length; index++) {
      let next = member(value, parts[index]);
      self = value;
      if (next === undefined && typeof value === "function" && isClass(value)) {
        next = member(value.prototype, parts[index]);
        if (typeof next === "function") self = new value();
      }
      if (next === undefined) {
        found.record = notFoundRecord(cut(parts[index - 1], 200) + " has no " + cut(parts[index], 200), wanted, names);
        return found;
      }
      value = next;
    }
    if (typeof value !== "function") {
      found.record = notFoundRecord(cut(wanted, 200) + " is there but is no function: its type is " + typeof value, wanted, names);
    }
    found.target = value;
    found.self = self;
    found.isClass = typeof value === "function" && isClass(value);
    return found;
  }

  function isClass(value) {
    return slice(functionText(value), 0, 5) === "class";
  }

  // ---------------------------------------------------------------- the call

  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
  const isIterator = (value) => isObject(value) && typeof value !== "function" && typeof value.next === "function";

  /** Takes up to `items` values of an iterator: {list, truncated}. */
  function take(walker, items) {
    const taken = newList();
    for (;;) {
      const step = apply(walker.next, walker, noArguments);
      if (step.done) break;
      if (taken.list.length >= items) {
        taken.truncated = true;
        if (typeof walker.return === "function") apply(walker.return, walker, noArguments);
        break;
      }
      push(taken.list, step.value);
    }
    return taken;
  }

  const noArguments = createObject(null);
  noArguments.length = 0;
  const defineProperty = Reflect.defineProperty;

  function newList() {
    const taken = createObject(null);
    taken.list = [];
    taken.truncated = false;
    return taken;
  }

  function push(list, value) {
    const slot = createObject(null);
    slot.value = value;
    slot.writable = slot.enumerable = slot.configurable = true;
    defineProperty(list, list.length, slot);
  }

  /**
   * Calls what find() found. `done(value, truncated)` or `failed(error)` is called once: at once, or,
   * for promises and asynchronous iterators, when they settle.
   */
  function run(found, args, items, done, failed) {
    let value;
    try {
      value = found.isClass ? construct(found.target, args) : apply(found.target, found.self, args);
      if (!(isObject(value) && typeof value.then === "function") && !isAsyncIterator(value)) {
        if (isIterator(value) && typeof value[ITERATOR] === "function") {
          const taken = take(value, items);
          return done(taken.list, taken.truncated);
        }
        return done(value, false);
      }
    } catch (error) {
      return failed(error);
    }
    settle(value, items, done, failed);
  }

  // ---------------------------------------------------------------- timing

  /** Batches of calls of what find() found; `ended` counts those that returned or threw. */
  function makeCalls(found, items) {
    const calls = createObject(null);
    calls.found = found;
    calls.items = items;
    calls.takes = ""; // how the result is waited for; the first one shows
    calls.sink = undefined; // what is kept cannot be left out by the optimizer
    calls.ended = 0;
    return calls;
  }

  const isThenable = (value) => isObject(value) && typeof value.then === "function";

  /** Makes a call for each list of arguments; a promise when the results are waited for. */
  function callAll(calls, lists) {
    if (calls.takes === "") return callFirst(calls, lists[0]);
    if (calls.takes === "await") return callWaiting(calls, lists);
    const { target, self, isClass: makes } = calls.found;
    const { items } = calls;
    const takes = calls.takes === "take";
    const count = lists.length;
    let at = 0;
    let value;
    try {
      if (makes) for (; at < count; at++) value = construct(target, lists[at]);
      else if (takes) for (; at < count; at++) value = take(apply(target, self, lists[at]), items);
      else for (; at < count; at++) value = apply(target, self, lists[at]);
    } catch (error) {
      at++;
      throw error;
    } finally {
      calls.ended += at;
      calls.sink = value;
    }
  }

  function callFirst(calls, list) {
    const { target, self, isClass: makes } = calls.found;
    calls.ended++;
    const value = makes ? construct(target, list) : apply(target, self, list);
    if (isThenable(value) || isAsyncIterator(value)) {
      calls.takes = "await";
      return waitFor(value, calls.items);
    }
    const takes = isIterator(value) && typeof value[ITERATOR] === "function";
    calls.takes = takes ? "take" : "plain";
    calls.sink = takes ? take(value, calls.items) : value;
  }

  /** Waits for a promise, then for the items of an asynchronous iterator. */
  async function waitFor(value, items) {
    await takeAll(await value, items); // not returned: that would ask the promise for its `then`
  }

  async function callWaiting(calls, lists) {
    const { target, self } = calls.found;
    const { items } = calls;
    const count = lists.length;
    for (let at = 0; at < count; at++) {
      calls.ended++;
      const value = await apply(target, self, lists[at]);
      calls.sink = isIterator(value) ? (await takeAll(value, items)).list : value;
    }
  }

  const isAsyncIterator = (value) => isIterator(value) && typeof value[ASYNC_ITERATOR] === "function";

  /** {list, truncated}: a value, or what an iterator or an asynchronous one gives in the end. */
  async function takeAll(value, items) {
    if (!isAsyncIterator(value)) {
      if (isIterator(value) && typeof value[ITERATOR] === "function") return take(value, items);
      const whole = createObject(null);
      whole.list = value;
      whole.truncated = false;
      return whole;
    }
    const taken = newList();
    for (;;) {
      const step = await apply(value.next, value, noArguments);
      if (step.done) return taken;
      if (taken.list.length >= items) {
        taken.truncated = true;
        if (typeof value.return === "function") await apply(value.return, value, noArguments);
        return taken;
      }
      push(taken.list, step.value);
    }
  }

  async function settle(value, items, done, failed) {
    let taken;
    try {
      taken = await takeAll(await value, items);
    } catch (error) {
      failed(error);
      return;
    }
    done(taken.list, taken.truncated);
  }

  // ---------------------------------------------------------------- values

  const TOO_LARGE = createObject(null);
  const PROBLEM = createObject(null);
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  function base64(bytes, length) {
    let text = "";
    for (let at = 0; at < length; at += 3) {
      const left = length - at;
      const word = (bytes[at] << 16) | ((left > 1 ? bytes[at + 1] : 0) << 8) | (left > 2 ? bytes[at + 2] : 0);
      text += DIGITS[word >> 18] + DIGITS[(word >> 12) & 63] + (left > 1 ? DIGITS[(word >> 6) & 63] : "=") +
        (left > 2 ? DIGITS[word & 63] : "=");
    }
    return text;
  }

  /** Whether a saved method or getter accepts the value as one of its own kind. */
  function accepts(method, value) {
    try {
      method(value);
      return true;
    } catch {
      return false;
    }
  }

  function showPath(node) {
    if (node === null) return "result";
    const before = showPath(node.parent);
    if (typeof node.key === "number") return before + "[" + node.key + "]";
    return node.key === "" ? before : before + "." + cut(node.key, 100);
  }

  /** The final record of a value, as JSON text. `timing` is the text of the nanoseconds, or a placeholder for it. */
  function resultRecord(value, truncated, limit, items, timing) {
    let out = "";
    let needed = 0;
    let place = null; // the innermost part, as a chain of {parent, key, value, depth}
    let problem = "";

    function put(text) {
      if (out.length + text.length > limit) expect(text.length);
      out += text;
    }

    function expect(length) {
      if (out.length + length > limit) {
        needed = out.length + length;
        throw TOO_LARGE;
      }
    }

    function refuse(what) {
      problem = cut(showPath(place), 1000) + ": " + what;
      throw PROBLEM;
    }

    function enter(key, part) {
      const node = createObject(null);
      node.parent = place;
      node.key = key;
      node.value = part;
      node.depth = place === null ? 1 : place.depth + 1;
      place = node;
      if (node.depth > MAX_DEPTH) {
        const shown = place;
        while (place.depth > 8) place = place.parent;
        problem = showPath(place) + "...: nested more than " + MAX_DEPTH + " deep";
        place = shown;
        throw PROBLEM;
      }
      if (isObject(part)) {
        if (part === value) refuse("contains itself");
        for (let step = node.parent; step !== null; step = step.parent) if (step.value === part) refuse("contains itself");
      }
      write(part);
      place = node.parent;
    }

    function number(part) {
      if (part !== part) return '"NaN"';
      if (part === Infinity) return '"Infinity"';
      if (part === -Infinity) return '"-Infinity"';
      return "" + part;
    }

    function write(part) {
      switch (typeof part) {
        case "string":
          expect(part.length + 2);
          return put(quote(part));
        case "number":
          return put(number(part));
        case "boolean":
          return put(part ? "true" : "false");
        case "undefined":
          return put("null");
        case "bigint": {
          if (-9007199254740991n <= part && part <= 9007199254740991n) return put("" + toNumber(part));
          return put('"' + bigText(part) + '"');
        }
        case "function":
          return refuse("a " + (isClass(part) ? "class" : "function"));
        case "symbol":
          return refuse("a symbol");
      }
      if (part === null) return put("null");
      writeObject(part);
    }

    function writeObject(part) {
      if (isArray(part)) return writeArray(part, part.length);
      const prototype = getPrototypeOf(part);
      if (prototype === ObjectPrototype || prototype === null) {
        return isIterator(part) && typeof part[ITERATOR] === "function" ? writeIterator(part) : writeFields(part);
      }
      const tag = typedTag(part);
      if (tag !== undefined) {
        const length = typedLength(part);
        if (settings.isBuffer !== null && settings.isBuffer(part)) return writeBytes(part, length);
        return writeArray(part, length);
      }
      if (accepts(mapSize, part)) return writeMap(part);
      if (accepts(setSize, part)) return writeSet(part);
      if (accepts(dateTime, part)) return dateTime(part) === dateTime(part) ? put('"' + dateText(part) + '"') : put('"Invalid Date"');
      if (isError(part)) return refuse("an error");
      if (accepts(bufferLength, part)) {
        const bytes = new Bytes(part);
        return writeBytes(bytes, typedLength(bytes));
      }
      if (accepts(viewLength, part)) return writeBytes(new Bytes(viewBuffer(part), viewOffset(part), viewLength(part)), viewLength(part));
      if (accepts(numberOf, part)) return put(number(numberOf(part)));
      if (accepts(textOf, part)) return write(textOf(part));
      if (accepts(booleanOf, part)) return put(booleanOf(part) ? "true" : "false");
      if (typeof part.then === "function") return refuse("a promise inside of the result");
      if (typeof part.toJSON === "function") return enter("", part.toJSON());
      if (typeof part[ITERATOR] === "function") return writeIterator(part[ITERATOR]());
      for (let index = 0; index < opaque.length; index++) {
        for (let step = prototype; step !== null; step = getPrototypeOf(step)) {
          if (step === opaque[index].prototype) return refuse("a " + opaque[index].name);
        }
      }
      writeFields(part);
    }

    function writeArray(part, length) {
      expect(2 * length);
      put("[");
      for (let index = 0; index < length; index++) {
        if (index) put(",");
        const item = part[index];
        if (isObject(item) || typeof item === "symbol") enter(index, item);
        else write(item);
      }
      put("]");
    }

    function writeFields(part) {
      const names = keysOf(part);
      put("{");
      for (let index = 0; index < names.length; index++) {
        put((index ? "," : "") + quote(names[index]) + ":");
        enter(names[index], part[names[index]]);
      }
      put("}");
    }

    function writeMap(part) {
      let textual = true;
      mapEach(part, (item, key) => {
        if (typeof key !== "string") textual = false;
      });
      let index = 0;
      put(textual ? "{" : "[");
      mapEach(part, (item, key) => {
        if (index) put(",");
        if (textual) {
          put(quote(key) + ":");
          enter(key, item);
        } else {
          put("[");
          enter(index, key);
          put(",");
          enter(index, item);
          put("]");
        }
        index++;
      });
      put(textual ? "}" : "]");
    }

    function writeSet(part) {
      let index = 0;
      put("[");
      setEach(part, (item) => {
        if (index) put(",");
        enter(index++, item);
      });
      put("]");
    }

    function writeBytes(bytes, length) {
      expect(length * 4 / 3 + 13);
      put('{"base64":"' + base64(bytes, length) + '"}');
    }

    function writeIterator(walker) {
      const taken = take(walker, items);
      if (taken.truncated) truncated = true;
      writeArray(taken.list, taken.list.length);
    }

    try {
      write(value);
    } catch (error) {
      if (error === TOO_LARGE) return '{"event":"too_large","size":' + numberText(needed - needed % 1) + "}";
      if (error !== PROBLEM) {
        const shown = describeError(error);
        if (settings.isOutOfMemory !== null && settings.isOutOfMemory(shown)) return raisedRecord(shown.kind, shown.message, null, null, false);
        problem = cut(showPath(place), 1000) + ": " + shown.kind + " while it was read: " + shown.message;
      }
      return '{"event":"unserializable","text":' + quote(shortText(value, 3)) + ',"message":' + quote(cut(problem, MAX_MESSAGE)) + "}";
    }
    return '{"event":"returned","value":' + out + ',"nanoseconds":' + timing + (truncated ? ',"truncated":true}' : "}");
  }

  // Objects whose fields say nothing of what they are.
  const opaque = [];
  for (const kind of [RegExp, Promise, WeakMap, WeakSet, typeof WeakRef === "undefined" ? RegExp : WeakRef]) {
    opaque.push({ prototype: kind.prototype, name: kind.name });
  }

  return {
    quote, safeText, shortText, cut, describeError, raisedRecord, inputLine, scanNames, nearRecord, member, find, run, makeCalls, callAll,
    push, resultRecord,
    apply, slice, indexOf, codeAt, lastIndexOf, parse, isObject, createObject, keysOf, hasOwn, getPrototypeOf, isClass, isArray,
  };
};
