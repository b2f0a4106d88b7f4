// The other views: what stands beside the list of tests.
function trendsView() {
  const rows = view.rows.filter((row) => row.status !== 'running').slice(0, 60);
  if (!rows.length) return [el('p', { class: 'panel empty' }, 'No run is over yet.')];
  const cells = rows.map((row) => [
    canOpen(row) ? el('button', { type: 'button', class: 'link', onclick: () => openRun(row.run) }, moment(row.started_at)) : moment(row.started_at),
    isolated(row.selection || (row.operation === 'run_test' ? 'some tests' : 'all tests')),
    el('span', { class: `tag ${verdictTone(row)}` }, words[row.status]), row.reason ? line(row.reason).replace(/_/g, ' ') : '',
    number(row.passed), number(row.failed), number(row.skipped), duration(row.execution_time_ms),
  ]);
  const past = [...rows].reverse();
  const isNarrow = matchMedia('(max-width: 760px)').matches;
  const width = Math.max(280, $('view').clientWidth / (isNarrow ? 1 : 2) - 74);
  const chart = (title, value, format) => el('div', { class: 'panel chart' }, el('h3', {}, title),
    trendChart(past, { height: 130, width, value, format, title, axis: true, onChoose: (row) => openRun(row.run) }));
  const key = (name, title) => el('span', {}, swatch(name), title);
  return [
    el('div', { class: 'legend' }, el('span', {}, 'The oldest run first, each in the colour of its verdict:'), key('passed', 'passed'), key('failed', 'failed, or no verdict'), key('skipped', 'no tests')),
    el('div', { class: 'charts' }, chart('Failing tests', (row) => row.failed, (value) => number(Math.round(value * 10) / 10)), chart('Time', (row) => row.execution_time_ms, tick)),
    table(`${plural(rows.length, 'run')}, the newest first.`, [['Began'], ['Of', 'text'], ['Verdict'], ['Reason'], ['Passed', 'number'], ['Failed', 'number'], ['Skipped', 'number'], ['Time', 'number']], cells),
  ];
}

function slowestView() {
  const timed = view.run.tests.filter((test) => test.duration !== undefined).sort((a, b) => b.duration - a.duration);
  if (!timed.length) return [el('p', { class: 'panel empty' }, 'No test has a duration.')];
  const sum = timed.reduce((sum, test) => sum + test.duration, 0);
  const shown = timed.slice(0, 100);
  const rows = shown.map((test, index) => {
    const bar = el('span', { class: 'bar', 'aria-hidden': 'true' });
    bar.style.width = `${(test.duration / shown[0].duration) * 100}%`;
    return [String(index + 1), testLink(test), duration(test.duration), `${((test.duration / sum) * 100).toFixed(1)} %`, bar];
  });
  const part = shown.reduce((sum, test) => sum + test.duration, 0);
  return [table(`The slowest ${plural(shown.length, 'test')} of ${number(timed.length)}: ${duration(part)} of ${duration(sum)} altogether.`,
    [['#', 'number'], ['Test', 'text'], ['Time', 'number'], ['Share', 'number'], ['Beside the slowest', 'wide']], rows)];
}

function flakyView() {
  const found = view.run.tests.filter((test) => test.flaky).sort((a, b) => a.flaky.strength - b.flaky.strength || a.index - b.index);
  const history = view.run.report.history;
  const looked = history && history.runs.length > 1 ? `${plural(history.runs.length, 'run')} up to this one were compared.` : 'There is only this run to look at; more of them tell more.';
  if (!found.length) return [el('p', { class: 'panel empty' }, `No test looks flaky. ${looked}`)];
  const rows = found.slice(0, 500).map((test) => [testLink(test), `${test.flaky.text}`, strip(view.run, test) || '']);
  return [table(`${plural(found.length, 'test')}, the strongest evidence first. ${looked}`, [['Test', 'text'], ['Evidence', 'text'], ['Runs, the oldest first']], rows)];
}

function problemsView() {
  const { errors = [], missing = [], adapters = [] } = view.run.report;
  const shown = errors.slice(0, 300).map((error) => el('article', { class: 'panel problem' },
    el('h3', {}, `${line(error.stage)}${error.adapter ? `, ${line(error.adapter)}` : ''}${error.code ? `, ${line(error.code)}` : ''} `, place(error.file, error.line, error.column)),
    el('pre', { class: 'error', tabindex: '0' }, lines(error.message)), error.file && error.line && codeOf(error.file, error.line)));
  const printed = adapters.filter((adapter) => adapter.output).map((adapter) => el('article', { class: 'panel problem' }, el('h3', {}, `What ${line(adapter.adapter)} printed`), el('pre', { tabindex: '0' }, lines(adapter.output))));
  const lost = missing.length > 0 && el('article', { class: 'panel problem' }, el('h3', {}, `${plural(missing.length, 'test')} without an outcome`),
    el('pre', { tabindex: '0' }, missing.slice(0, 2000).map(line).join('\n')));
  if (!shown.length && !lost && !printed.length) return [el('p', { class: 'panel empty' }, 'Nothing went wrong outside the tests.')];
  return [errors.length > shown.length && el('p', { class: 'hint' }, `The first ${shown.length} of ${number(errors.length)} errors.`), shown, lost, printed];
}

const views = [
  ['tests', 'Tests', testsView, () => null],
  ['problems', 'Errors', problemsView, () => (view.run.report.errors || []).length + (view.run.report.missing || []).length],
  ['timeline', 'Timeline', timelineView, () => null],
  ['slowest', 'Slowest', slowestView, () => null],
  ['flaky', 'Flaky', flakyView, () => view.run.tests.filter((test) => test.flaky).length],
  ['resources', 'Resources', resourcesView, () => null],
  ['trends', 'Trends', trendsView, () => view.rows.length],
];
