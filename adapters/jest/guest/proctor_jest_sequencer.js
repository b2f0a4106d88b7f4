'use strict';
// jest's `testSequencer`: the files in the order of the chosen tests.
const fs = require('fs');

const places = new Map();
for (const [path] of JSON.parse(fs.readFileSync(process.env.PROCTOR_ORDER, 'utf8'))) {
  if (!places.has(path)) places.set(path, places.size);
}

module.exports = class {
  sort(tests) {
    const place = (test) => (places.has(test.path) ? places.get(test.path) : places.size);
    return [...tests].sort((a, b) => place(a) - place(b));
  }

  shard(tests) { return tests; }

  allFailedTests() { return []; }

  cacheResults() {}
};
