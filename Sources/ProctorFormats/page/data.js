// A report as the views want it.
const letters = { p: 'passed', f: 'failed', s: 'skipped', e: 'errored', t: 'timed_out', c: 'crashed' };

function makeTest(row, failure, index) {
  const file = (failure && failure.file) || row.file;
  return {
    index, id: row.id, name: row.name || row.test || row.full_name, fullName: row.full_name, adapter: row.adapter, suite: row.suite,
    file, line: failure ? failure.line || failure.definition_line : row.definition_line, outcome: row.outcome, raw: row.raw_status,
    duration: row.duration_ms, start: row.started_ms, worker: row.worker, note: row.note, failure,
    attempts: (failure && failure.attempt_details) || row.attempt_details, flaky: null, quarantined: null,
    // What the search looks at.
    text: `${row.full_name}\n${row.id}\n${file || ''}\n${failure ? failure.error : ''}`.toLowerCase(),
  };
}

function makeRun(report, row) {
  const failures = new Map(report.failures.map((failure) => [failure.id, failure]));
  const tests = (report.tests || report.failures).map((test, index) => makeTest(test, failures.get(test.id), index));
  const run = { report, row, tests, byId: new Map(tests.map((test) => [test.id, test])), isWhole: Boolean(report.tests), isLive: false };
  for (const test of tests) test.flaky = flakiness(run, test);
  for (const entry of report.quarantined_tests || []) {
    const test = run.byId.get(entry.id);
    if (test) test.quarantined = entry;
  }
  return run;
}

// A run that goes on, known from events.
function makeLiveRun(row) {
  return { report: { failures: [], adapters: [] }, row, tests: [], byId: new Map(), isWhole: true, isLive: true, progress: null };
}

function addLive(run, event) {
  const old = run.byId.get(event.id);
  const test = makeTest({ ...event, name: event.test, full_name: event.test, suite: '', raw_status: event.outcome }, null, old ? old.index : run.tests.length);
  run.tests[test.index] = test;
  run.byId.set(test.id, test);
}

const historyOf = (run, test) => {
  const history = run.report.history;
  if (!history) return null;
  return { runs: history.runs, letters: history.outcomes[test.id] || 'p'.repeat(history.runs.length) };
};

// Why a test looks as if its outcome were chance, the strongest evidence first; null when nothing says so.
function flakiness(run, test) {
  const mixed = (outcomes) => outcomes.includes('passed') && outcomes.some(isFailure);
  if (test.attempts && mixed(test.attempts.map((attempt) => attempt.outcome))) {
    return { strength: 0, text: 'passed and failed in attempts of this one run' };
  }
  const history = historyOf(run, test);
  if (!history || !/p/.test(history.letters) || !/[fetc]/.test(history.letters)) return null;
  const byCode = new Map();
  history.runs.forEach((name, index) => {
    const row = view.rows.find((row) => row.run === name);
    if (row && row.code_state) byCode.set(row.code_state, (byCode.get(row.code_state) || '') + history.letters[index]);
  });
  for (const outcomes of byCode.values()) {
    if (/p/.test(outcomes) && /[fetc]/.test(outcomes)) {
      return { strength: 1, text: 'passed and failed in runs between which no file of the workspace changed' };
    }
  }
  const known = history.letters.replace(/[-s]/g, '').replace(/[fetc]/g, 'f');
  const turns = [...known].filter((letter, index) => index > 0 && letter !== known[index - 1]).length;
  return turns > 1 ? { strength: 2, text: `its outcome turned ${turns} times in ${plural(history.runs.length, 'run')}; the code may have changed between them` } : null;
}

function excerptOf(run, file, at) {
  return (run.report.sources || []).find((part) => part.file === file && part.first_line <= at && at < part.first_line + part.lines.length);
}

// `ADAPTER:PROJECT`, which every id begins with.
const projectOf = (test) => test.id.split(':', 2).join(' ').replace(/ \.$/, '');
