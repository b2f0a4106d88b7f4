'use strict';
// jest's `testRunner`: the project's own jest-circus, with proctor listening to its events.
const fs = require('fs');
const pathModule = require('path');
const util = require('util');
const channel = require('./proctor_jest_channel.js');

const MESSAGE = 20000;
const OUTPUT = 64 * 1024;
const WORKER = process.env.JEST_WORKER_ID;
const hrtime = process.hrtime.bigint;
const format = util.format;
const { stringify } = JSON;

const selection = (() => {
  const file = process.env.PROCTOR_SELECTION;
  return file ? JSON.parse(fs.readFileSync(file, 'utf8')) : null;
})();
// The place of each chosen test by path, name and occurrence; null for the order of the files.
const order = (() => {
  const file = process.env.PROCTOR_ORDER;
  if (!file) return null;
  const places = JSON.parse(fs.readFileSync(file, 'utf8'));
  return new Map(places.map((place, index) => [stringify(place), index]));
})();
const listing = process.env.PROCTOR_LIST === '1';
const seconds = Number(process.env.PROCTOR_TEST_SECONDS) || 0;

// Tests get a copy of the environment that is made after this module is loaded.
for (const name of ['PROCTOR_CHANNEL', 'PROCTOR_NONCE', 'PROCTOR_LIST', 'PROCTOR_TEST_SECONDS', 'PROCTOR_SELECTION', 'PROCTOR_ORDER']) delete process.env[name];

// A limit for each test: a thread of its own asks where a test hangs, shortly before the limit.
const watch = (() => {
  if (!seconds || listing) return { begin() {}, end() {}, know() {} };
  const inspector = require('inspector');
  const { Worker } = require('worker_threads');
  const begun = new BigInt64Array(new SharedArrayBuffer(8));
  let worker;
  const start = () => {
    inspector.open(0, '127.0.0.1');
    const workerData = { begun: begun.buffer, url: inspector.url(), milliseconds: Math.max(seconds * 500, seconds * 1000 - 700) };
    worker = new Worker(pathModule.join(__dirname, 'proctor_jest_watch.js'), { workerData });
    worker.on('error', () => {});
    worker.unref();
  };
  const now = Date.now;
  return {
    begin() {
      if (!worker) start();
      Atomics.store(begun, 0, BigInt(now()));
    },
    end() { Atomics.store(begun, 0, 0n); },
    know(maps) { if (worker && maps && maps.size) worker.postMessage([...maps]); },
  };
})();

function chain(test) {
  const names = [String(test.name)];
  for (let block = test.parent; block && block.parent; block = block.parent) names.unshift(String(block.name));
  return names;
}

function frames(stack) {
  const result = [];
  for (const line of channel.plain(stack || '').split('\n')) {
    const match = /^\s*at (?:(.*?) \()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/.exec(line);
    if (!match) continue;
    const file = match[2].replace(/^file:\/\//, '');
    if (file.includes('/node_modules/') || file.startsWith(__dirname)) continue;
    result.push({ function: match[1] && match[1] !== 'Object.<anonymous>' ? match[1] : null, file, line: +match[3], column: +match[4] });
  }
  return result;
}

function describe(entry, testPath) {
  const [thrown, fallback] = Array.isArray(entry) ? entry : [entry, null];
  const isError = thrown && typeof thrown === 'object' && typeof thrown.stack === 'string';
  const formatted = !isError && !Array.isArray(entry) && thrown && typeof thrown.message === 'string';
  let message;
  try {
    if (isError) message = thrown.message || thrown.stack.split('\n')[0];
    // Failures of node's `assert` arrive formatted, with the stack in their text.
    else if (formatted) message = channel.plain(thrown.message);
    else if (thrown && typeof thrown === 'object') message = `thrown: ${util.inspect(thrown)}`;
    else if (thrown === undefined && fallback && fallback.message) message = fallback.message;
    else message = typeof thrown === 'string' ? thrown : `thrown: ${util.inspect(thrown)}`;
    if (isError && thrown.name && thrown.name !== 'Error' && !thrown.matcherResult && !message.startsWith(thrown.name)) {
      message = `${thrown.name}: ${message}`;
    }
    if (isError && thrown.cause && thrown.cause.message) message += `\n[cause] ${thrown.cause.message}`;
    if (isError && Array.isArray(thrown.errors)) {
      for (const inner of thrown.errors) message += `\n[error] ${inner && inner.message}`;
    }
  } catch (error) {
    message = 'an error whose text cannot be had';
  }
  const all = frames(isError ? thrown.stack : formatted ? thrown.message : '');
  return {
    message: channel.cut(message, MESSAGE),
    place: all.find((f) => f.file === testPath) || all[0] || null,
    frames: all.slice(0, 20),
  };
}

class Output {
  constructor() {
    this.texts = { stdout: '', stderr: '' };
    this.inside = false;
  }

  add(stream, text) {
    const texts = this.texts;
    if (texts[stream].length < OUTPUT * 4) texts[stream] += text;
  }

  take() {
    const { stdout, stderr } = this.texts;
    this.texts = { stdout: '', stderr: '' };
    return { stdout: channel.cut(stdout, OUTPUT) || undefined, stderr: channel.cut(stderr, OUTPUT) || undefined };
  }

  listen(console, isRunning) {
    const undo = [];
    for (const name of ['log', 'info', 'debug', 'dir', 'warn', 'error', 'trace']) {
      const original = console[name];
      if (typeof original !== 'function') continue;
      const stream = ['warn', 'error', 'trace'].includes(name) ? 'stderr' : 'stdout';
      const output = this;
      console[name] = function (...values) {
        if (isRunning()) output.add(stream, format(...values) + '\n');
        const before = output.inside;
        output.inside = true;
        try {
          return original.apply(this, values);
        } finally {
          output.inside = before;
        }
      };
      undo.push(() => { console[name] = original; });
    }
    const write = process.stdout.write;
    const output = this;
    process.stdout.write = function (bytes, ...rest) {
      if (!output.inside && isRunning()) output.add('stdout', typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'));
      return write.call(this, bytes, ...rest);
    };
    undo.push(() => { process.stdout.write = write; });
    return () => undo.forEach((step) => step());
  }
}

module.exports = async (globalConfig, config, environment, runtime, testPath, sendMessage) => {
  const places = { paths: [config.rootDir, pathModule.dirname(require.main ? require.main.filename : __dirname), process.cwd()] };
  const circus = require(require.resolve('jest-circus/runner', places));
  const wanted = selection && (selection[testPath] || {});
  const ids = new Map();
  const off = new Set();
  const slots = new Map();
  const began = new Map();
  const deferred = new Map();
  const output = new Output();
  let current = null;

  // What the runner itself saw fail, before anybody's own event handler could forget it.
  const seen = new Map();
  const remember = (event) => {
    const { test, error } = event;
    switch (event.name) {
      case 'test_fn_failure':
        if (test) seen.set(test, [...(seen.get(test) || []), error]);
        break;
      case 'hook_failure':
        if (test) seen.set(test, [...(seen.get(test) || []), error]);
        break;
      case 'test_retry':
        seen.delete(test);
        break;
    }
  };

  // Globals that a set-up file replaced are tried: an expectation that is wrong must throw, and a
  // test's function must be called.
  const original = { expect: environment.global.expect, test: undefined };
  const distrust = async (state) => {
    const complain = (message) => channel.send({ event: 'file_error', path: testPath, tests: 1, message, stack: '', text: message, own: true });
    const accepts = (probe) => {
      const { expect } = environment.global;
      // Expectations are counted, and the count belongs to the first test.
      const before = expect.getState && expect.setState ? { ...expect.getState() } : null;
      try {
        probe(expect);
        return true;
      } catch (error) {
        return false;
      } finally {
        if (before) expect.setState(before);
      }
    };
    if (typeof environment.global.expect === 'function' && accepts((expect) => expect(1).toBe(2)) && accepts((expect) => expect(1).toEqual({ a: 1 }))) {
      complain('the global expect accepts everything: expect(1).toBe(2) did not fail');
    }
    for (const name of ['test', 'it']) {
      const current = environment.global[name];
      if (typeof current !== 'function' || current === original[name] || !original[name]) continue;
      const block = state.currentDescribeBlock;
      const before = block.children.length;
      const testsBefore = block.tests ? block.tests.length : 0;
      const started = state.hasStarted;
      state.hasStarted = false;
      let called = false;
      try {
        current('proctor looks whether this function is called', () => { called = true; });
        const added = block.children.splice(before);
        if (block.tests) block.tests.splice(testsBefore);
        // A wrapper of the project's own may wait for what never comes here.
        const enough = new Promise((resolve) => setTimeout(resolve, 1000));
        for (const child of added) if (child.fn) await Promise.race([child.fn.call({}, () => {}), enough]);
      } catch (error) {
        called = true;
      }
      state.hasStarted = started;
      if (!called) complain(`the global ${name} was replaced by one that does not call the test's function`);
    }
  };

  const define = (block, seen) => {
    for (const child of block.children) {
      if (child.type === 'describeBlock') {
        define(child, seen);
        continue;
      }
      const names = chain(child);
      const key = names.join(' > ');
      const occurrence = (seen.get(key) || 0) + 1;
      seen.set(key, occurrence);
      const id = ids.size;
      ids.set(child, id);
      const place = order ? order.get(stringify([testPath, key, occurrence])) : undefined;
      if (place !== undefined) slots.set(child, place);
      if (listing || (wanted && !(wanted[key] || []).includes(occurrence))) {
        off.add(child);
        if (child.mode !== 'todo') child.mode = 'skip';
        if (!listing) continue;
      }
      const own = frames(child.asyncError && child.asyncError.stack);
      const definition = own.find((f) => f.file === testPath) || null;
      channel.send({ event: 'test', path: testPath, id, names: names.map((n) => channel.cut(n, MESSAGE)), key: channel.cut(key, MESSAGE), occurrence, line: definition && definition.line, column: definition && definition.column });
    }
  };

  // Children of a block come in the order of the first of their tests; returns that one's place.
  const arrange = (block) => {
    const first = new Map();
    for (const child of block.children) {
      first.set(child, child.type === 'describeBlock' ? arrange(child) : slots.has(child) ? slots.get(child) : Infinity);
    }
    const by = (a, b) => (a === b ? 0 : a < b ? -1 : 1);
    block.children.sort((a, b) => by(first.get(a), first.get(b)));
    return Math.min(Infinity, ...first.values());
  };

  const done = (test, status) => {
    const cleared = !(test.errors || []).length && !test.failing ? seen.get(test) || [] : [];
    const errors = (test.errors || []).concat(cleared).map((entry) => describe(entry, testPath));
    for (const error of errors) {
      if (cleared.length) error.message = `it failed, and an event handler removed its errors: ${error.message}`;
    }
    seen.delete(test);
    const start = began.get(test);
    return {
      event: 'done', path: testPath, id: ids.get(test), status, errors,
      worker: WORKER, cleared: cleared.length > 0, failing: Boolean(test.failing), invocations: test.invocations,
      duration: start === undefined ? undefined : Number(hrtime() - start) / 1e6, ...output.take(),
    };
  };

  const listen = (event) => {
    const test = event.test;
    switch (event.name) {
      case 'run_start':
        channel.send({ event: 'file', path: testPath });
        break;
      case 'test_start':
        if (off.has(test) || test.mode === 'skip' || test.mode === 'todo') break;
        current = test;
        if (!began.has(test)) channel.send({ event: 'start', path: testPath, id: ids.get(test) });
        began.set(test, hrtime());
        watch.begin();
        if (runtime.getSourceMaps) watch.know(runtime.getSourceMaps());
        break;
      case 'test_skip':
      case 'test_todo':
        if (!off.has(test)) channel.send(done(test, event.name === 'test_todo' ? 'todo' : 'skipped'));
        break;
      case 'test_done': {
        current = null;
        watch.end();
        if (off.has(test)) break;
        const record = done(test, 'done');
        // jest.retryTimes may run it again: the last time counts.
        const retries = parseInt(environment.global[Symbol.for('RETRY_TIMES')], 10) || 0;
        if (retries > 0 && record.errors.length) deferred.set(test, record);
        else {
          deferred.delete(test);
          channel.send(record);
        }
        break;
      }
      case 'run_finish':
        for (const record of deferred.values()) channel.send(record);
        deferred.clear();
        break;
    }
  };

  const previous = environment.handleTestEvent ? environment.handleTestEvent.bind(environment) : null;
  environment.handleTestEvent = async (event, state) => {
    remember(event);
    if (event.name === 'setup') {
      original.test = environment.global.test;
      original.it = environment.global.it;
    }
    if (event.name === 'run_start') {
      await distrust(state);
      define(state.rootDescribeBlock, new Map());
      if (order) arrange(state.rootDescribeBlock);
    }
    if (previous) await previous(event, state);
    listen(event);
  };

  const stop = output.listen(environment.global.console, () => current !== null);
  try {
    return await circus(globalConfig, config, environment, runtime, testPath, sendMessage);
  } finally {
    stop();
  }
};
