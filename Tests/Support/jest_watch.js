'use strict';
// usage: node jest_watch.js /path/of/proctor_jest_watch.js
// A loop that is asked again and again where it is, as if each time were another test that takes too long.
const inspector = require('inspector');
const { Worker } = require('worker_threads');

const begun = new BigInt64Array(new SharedArrayBuffer(8));
inspector.open(0, '127.0.0.1');
const worker = new Worker(process.argv[2], { workerData: { begun: begun.buffer, url: inspector.url(), milliseconds: 1 } });
worker.unref();
setTimeout(() => {
  for (let round = 0; round < 40; round++) {
    const start = Date.now();
    Atomics.store(begun, 0, BigInt(start));
    while (Date.now() < start + 150);
  }
  process.exit(0);
}, 500);
