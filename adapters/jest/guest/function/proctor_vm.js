// The host's side inside the engine of proctor_call_quickjs.py. The Python program puts the text of
// proctor_core.cjs in the place of the marked line, and evaluates this before the user's source: the
// value is one function, which only Python holds. Only strings cross: (operation, text...) -> text.
(function () {
  const cell = { exports: null };
  (function (module) {
/*CORE*/
  })(cell);
  const MEMORY = '{"event":"memory_limit"}';
  const isOutOfMemory = (shown) => shown.kind === "InternalError" && shown.message === "out of memory";
  const core = cell.exports({ isBuffer: null, isOutOfMemory, memoryRecord: MEMORY });
  const { quote, indexOf, slice, codeAt, safeText, raisedRecord, describeError, createObject, hasOwn, member } = core;
  const { defineProperty } = Object;
  const evaluate = eval; // called by another name, it evaluates in the global scope
  const ErrorClass = Error;
  const then = Function.prototype.call.bind(Promise.prototype.then);
  const emit = globalThis.proctorEmit;
  delete globalThis.proctorEmit;

  /** The binding knows no ropes, in which the engine keeps long concatenations: a slice is none. */
  const flat = (text) => (typeof text === "string" ? slice(text, 0) : text);

  // ---------------------------------------------------------------- what the guest gets

  const give = (name, value) => defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });

  function printer(stream) {
    return function () {
      let text = "";
      for (let index = 0; index < arguments.length; index++) text += (index ? " " : "") + safeText(arguments[index]);
      emit(stream, flat(quote(text)));
    };
  }

  const print = printer("out");
  const complain = printer("error");
  const guestModule = { exports: {} };
  give("print", print);
  give("console", { log: print, info: print, debug: print, error: complain, warn: complain, trace: complain });
  give("module", guestModule);
  give("exports", guestModule.exports);
  give("require", function require(name) {
    throw new ErrorClass("the VM has no modules: require(" + quote(safeText(name)) + ") cannot be answered");
  });

  const before = createObject(null); // so that the engine's own functions are not taken for the file's
  for (const name of Object.getOwnPropertyNames(Object.prototype)) before[name] = globalThis[name];
  for (const name of Object.getOwnPropertyNames(globalThis)) before[name] = globalThis[name];

  // ---------------------------------------------------------------- operations

  let namespace = null; // of an ES module
  let found = null;
  let state = "nothing"; // nothing, pending, done, failed
  let value, truncated;
  let userLines = 0; // host code lies below the user's last line: both have the same file name

  /** The line of the innermost frame of the user's source in a stack, or null. */
  function lineOf(stack, className) {
    let from = 0;
    // the constructor of a class that extends Error is the first frame of its errors
    if (className !== "" && indexOf(stack, "    at " + className + " (") === 0) from = indexOf(stack, "\n");
    for (let start = indexOf(stack, "<input>:", from); start >= 0; start = indexOf(stack, "<input>:", start + 1)) {
      let line = 0;
      for (let at = start + 8; codeAt(stack, at) >= 48 && codeAt(stack, at) <= 57; at++) line = line * 10 + codeAt(stack, at) - 48;
      if (line > 0 && line <= userLines) return line;
    }
    return null;
  }

  function failure(error, file, isImport) {
    const shown = describeError(error);
    if (isOutOfMemory(shown)) return MEMORY;
    return raisedRecord(shown.kind, shown.message, file, lineOf(shown.stack, shown.className), isImport);
  }

  function fromGlobals(name, isIdentifier) {
    let own;
    try {
      if (isIdentifier) own = evaluate(name);
    } catch {} // not defined, not yet defined, or a reserved word
    return hasOwn(before, name) && before[name] === own ? undefined : own;
  }

  const operations = createObject(null);

  operations.lines = (count) => {
    userLines = +count;
  };

  /** Waits for the user's module, which the engine has just been given; it goes by the name of all sources. */
  operations.settleModule = () => {
    state = "pending";
    then(import("<input>"), (result) => {
      namespace = result;
      state = "done";
    }, fail);
  };

  operations.state = () => state;

  operations.find = (wanted, first, file) => {
    const root = (name, place) => {
      const isModule = namespace !== null;
      if (isModule && hasOwn(namespace, name) && namespace[name] !== undefined) return namespace[name];
      const main = !isModule ? guestModule.exports : hasOwn(namespace, "default") ? namespace.default : undefined;
      const inner = member(main, name);
      if (inner !== undefined) {
        place.self = main;
        return inner;
      }
      if (typeof main === "function" && (name === "default" || main.name === name)) return main;
      return isModule ? undefined : fromGlobals(name, first === name);
    };
    try {
      found = core.find(root, wanted, noNames, namespace !== null);
    } catch (error) {
      return failure(error, file, false);
    }
    return found.record === null ? "" : found.record;
  };
  const noNames = createObject(null);
  noNames.length = 0;

  /** The not_found record with the nearest names: asked of another engine, where no user's code has run. */
  operations.near = (message, wanted, isModule, source) => {
    const names = core.scanNames(source);
    const told = core.find(() => undefined, wanted, names, isModule === "yes");
    return slice(message, -9) === " the file" ? told.record : core.notFoundRecord(message, wanted, names);
  };

  function listOf(args) {
    const list = core.parse(args);
    if (core.isArray(list)) return list;
    const only = createObject(null);
    only[0] = list;
    only.length = 1;
    return only;
  }

  // Of a benchmark: Python looks at the clock before and after `batch`.
  let calls = null;
  let lists = null;

  operations.timed = (items) => {
    calls = core.makeCalls(found, +items);
  };

  /** Arguments for so many calls; those that no call can change serve again. */
  operations.lists = (args, size, areFixed) => {
    if (lists !== null && lists.length === +size && areFixed === "yes") return;
    lists = [];
    for (let count = 0; count < +size; count++) core.push(lists, listOf(args));
  };

  operations.batch = () => {
    state = "pending";
    try {
      const waiting = core.callAll(calls, lists);
      if (waiting === undefined) state = "done";
      else then(waiting, () => {
        state = "done";
      }, fail);
    } catch (error) {
      fail(error);
    }
    return state;
  };

  function fail(error) {
    value = error;
    state = "failed";
  }

  operations.ended = () => "" + calls.ended;

  operations.call = (args, items) => {
    state = "pending";
    core.run(found, listOf(args), +items, (result, cut) => {
      value = result;
      truncated = cut;
      state = "done";
    }, fail);
    return state;
  };

  operations.report = (file, limit, items, nanoseconds, isImport) => {
    if (state === "done") return core.resultRecord(value, truncated, +limit, +items, nanoseconds);
    if (state === "failed") return failure(value, file, isImport === "yes");
    return raisedRecord("UnsettledPromise", "the promise never settles: nothing is left to wait for", file, null, isImport === "yes");
  };

  return function proctorHost(operation, a, b, c, d, e) {
    return flat(operations[operation](a, b, c, d, e));
  };
})();
