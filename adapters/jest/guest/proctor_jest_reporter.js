'use strict';
// jest's reporter in the parent process: errors of whole files, and the end of the run.
const channel = require('./proctor_jest_channel.js');

const MESSAGE = 20000;

module.exports = class {
  onRunStart() {
    channel.send({ event: 'begin' });
  }

  onTestResult(test, result) {
    const error = result.testExecError;
    if (!error) return;
    channel.send({
      event: 'file_error',
      path: test.path,
      tests: result.testResults.length,
      message: channel.cut(channel.plain(error.message || ''), MESSAGE),
      stack: channel.cut(channel.plain(error.stack || ''), MESSAGE),
      text: channel.cut(channel.plain(result.failureMessage || ''), MESSAGE),
    });
  }

  onRunComplete(contexts, results) {
    channel.send({
      event: 'end',
      passed: results.numPassedTests,
      failed: results.numFailedTests,
      interrupted: Boolean(results.wasInterrupted),
      error: results.runExecError ? channel.cut(channel.plain(results.runExecError.message), MESSAGE) : undefined,
    });
  }
};
