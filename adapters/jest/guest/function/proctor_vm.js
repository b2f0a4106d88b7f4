// The host's side inside a bare engine: that of proctor_call_quickjs.py or of proctor_call_isolated.cjs. They
// put the text of proctor_core.cjs in the place of the marked line, and evaluate this before the user's
// source: the value is one function, which only they hold. Only strings cross: (operation, text...) -> text.
(function () {
  "use strict"; // stacks and callers give away sloppy functions
  const cell = { exports: null };
  (function (module) {
/*CORE*/
  })(cell);
  // The host knows whether it is true: anybody can throw such an error.
  const isOutOfMemory = (shown) => // in QuickJS; in V8 for buffers, which lie outside of its heap
    (shown.kind === "InternalError" && shown.message === "out of memory") ||
    (shown.kind === "RangeError" && shown.message === "Array buffer allocation failed");
  const core = cell.exports({ isBuffer: null, isOutOfMemory });
  const { quote, slice, safeText, raisedRecord, describeError, createObject, hasOwn, member } = core;
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

  function failure(error, file, isImport) {
    const shown = describeError(error);
    return raisedRecord(shown.kind, shown.message, file, core.inputLine(shown.stack, shown.className, userLines), isImport);
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

  /** In QuickJS: waits for the user's module, which the engine was just given; it goes by the name of all sources. */
  operations.settleModule = () => {
    state = "pending";
    then(import("<input>"), (result) => {
      namespace = result;
      state = "done";
    }, fail);
  };

  /** In V8: takes the namespace of a module that has the user's as `user`, and is there once that one is. */
  operations.takeModule = (wrapper) => {
    state = "pending";
    try {
      if (wrapper.isLoaded !== true) return;
    } catch {
      return; // not yet initialized
    }
    namespace = wrapper.user;
    state = "done";
  };

  operations.state = () => state;

  operations.isModule = () => (namespace === null ? "no" : "yes");

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
  operations.near = (message, wanted, isModule, source) => core.nearRecord(message, wanted, isModule === "yes", source);

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
