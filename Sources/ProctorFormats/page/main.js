// What is shown now, and the parts of the page around the views.
const view = { name: 'tests', rows: [], run: null, title: '', canOpen: () => false, open: () => {} };
const canOpen = (row) => view.canOpen(row.run);
const openRun = (run) => view.open(run);

function showView(name) {
  view.name = name;
  document.body.dataset.view = name;
  for (const button of $('tabs').children) {
    const isChosen = button.dataset.view === name;
    button.setAttribute('aria-selected', String(isChosen));
    button.tabIndex = isChosen ? 0 : -1;
  }
  const main = $('view');
  // What is being typed goes on in the new list.
  const typing = document.activeElement?.id === 'search' ? document.activeElement.selectionStart : null;
  main.setAttribute('aria-labelledby', `tab-${name}`);
  const [, title, make] = views.find(([view]) => view === name);
  main.replaceChildren(el('h2', {}, title), ...[view.run ? make() : el('p', { class: 'panel empty' }, 'No run yet. Start one: it appears here.')].flat(3).filter(Boolean));
  if (view.run && name === 'tests') {
    showTests();
    showDetail(selection.test, false);
    list.reveal(selection.test);
    if (typing === null) return;
    $('search').focus();
    $('search').setSelectionRange(typing, typing);
  }
}

function showTabs() {
  const tabs = views.map(([name, title, , count], index) => {
    const many = view.run ? count() : null;
    return el('button', {
      type: 'button', role: 'tab', id: `tab-${name}`, 'data-view': name, 'aria-controls': 'view', 'aria-selected': String(name === view.name),
      tabindex: name === view.name ? '0' : '-1', title: `Key ${index + 1}`, onclick: () => showView(name),
    }, title, many ? el('span', {}, number(many)) : null);
  });
  const had = $('tabs').contains(document.activeElement);
  $('tabs').replaceChildren(...tabs);
  if (had) $(`tab-${view.name}`).focus();
}

function showSummary() {
  const run = view.run;
  if (!run) {
    $('summary').replaceChildren();
    return;
  }
  const { row, report } = run;
  const fact = (value, title) => el('span', {}, el('b', {}, value), ` ${title}`);
  const box = report.sandbox;
  const progress = run.isLive && el('div', { class: `progress${row.failed ? ' bad' : ''}`, role: 'progressbar', 'aria-label': 'Tests done', 'aria-valuemin': 0, 'aria-valuemax': run.progress?.total || 0, 'aria-valuenow': run.progress?.done || 0 }, el('i', {}));
  if (progress && run.progress?.total) progress.firstChild.style.width = `${Math.min(100, (run.progress.done / run.progress.total) * 100)}%`;
  const sentence = run.isLive ? run.progress?.doing || 'starting' : report.message || (row.status === 'passed' ? 'Every test that was to run has passed.' : '');
  const notes = (report.notes || []).slice(0, 10).map((note) => el('p', { class: 'hint' }, lines(note)));
  $('summary').replaceChildren(
    el('div', { class: 'verdict' }, el('span', { class: `badge ${row.status}` }, words[row.status] || line(row.status)), el('p', {}, lines(sentence))),
    el('div', { class: 'facts' }, fact(number(row.total_tests), 'tests'), fact(number(row.passed), 'passed'), fact(number(row.failed), 'failed'), fact(number(row.skipped), 'skipped'),
      fact(duration(row.execution_time_ms), ''), box && el('span', {}, `sandbox ${line(box.backend)}`)),
    ...[view.rows.filter((row) => row.status !== 'running').length > 1 && spark(), progress].filter(Boolean), ...notes);
  document.title = `${words[row.status] || row.status}: ${view.title || 'proctor'}`;
  $('note').textContent = run.isWhole ? '' : 'This report was written without --details: tests that passed are counted, not listed.';
}

function spark() {
  const rows = view.rows.filter((row) => row.status !== 'running').slice(0, 30).reverse();
  const chart = trendChart(rows, { height: 34, width: Math.min(170, rows.length * 10), value: (row) => row.execution_time_ms, format: duration, title: 'Verdicts and times' });
  chart.setAttribute('class', 'spark');
  return chart;
}

function showRuns() {
  const picker = $('runs');
  picker.replaceChildren(...view.rows.map((row) => el('option', { value: row.run, disabled: !canOpen(row) },
    `${moment(row.started_at)}  ${words[row.status] || line(row.status)}, ${plural(row.total_tests, 'test')}${row.selection ? `, ${line(row.selection)}` : ''}`)));
  if (view.run) picker.value = view.run.row.run;
  picker.parentElement.hidden = view.rows.length === 0;
  $('workspace').replaceChildren(isolated(view.title));
}

function showRun(run) {
  const old = selection.test;
  view.run = run;
  selection.test = (old && run.byId.get(old.id)) || null;
  showRuns();
  showSummary();
  showTabs();
  showView(view.name);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $('help').open) return;
  const isTyping = event.target.matches('input, select, textarea');
  const inList = view.name === 'tests' && view.run;
  const tabs = [...$('tabs').children];
  if (event.key === 'Escape') {
    if (inList && $('detail').classList.contains('open')) return closeDetail();
    if (inList && selection.query) {
      selection.query = $('search').value = '';
      showTests();
    } else if (inList) list.node.focus();
    return event.preventDefault();
  }
  if (event.target.getAttribute('role') === 'tab' && ['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key)) {
    const at = tabs.indexOf(event.target);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    const tab = tabs.at(next % tabs.length);
    showView(tab.dataset.view);
    tab.focus();
    return event.preventDefault();
  }
  const inSearch = event.target.id === 'search';
  if (isTyping && !(inSearch && ['ArrowDown', 'ArrowUp', 'Enter'].includes(event.key))) return;
  const inDetail = event.target.closest('#detail, .scroll, .lanes') !== null;
  const isArrow = event.key.startsWith('Arrow') || ['PageDown', 'PageUp', 'Home', 'End', 'Enter'].includes(event.key);
  if (inDetail && isArrow) return;
  const page = 15;
  const actions = {
    '/': () => { if (!inList) showView('tests'); $('search')?.focus(); $('search')?.select(); },
    '?': () => $('help').showModal(),
    ...(inList && {
      j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), PageDown: () => move(page), PageUp: () => move(-page),
      Home: () => move(-Infinity), End: () => move(Infinity), n: () => move(1, (test) => isFailure(test.outcome)), p: () => move(-1, (test) => isFailure(test.outcome)),
    }),
  };
  if (inList && event.key === 'Enter' && (event.target === list.node || inSearch) && selection.test) {
    showDetail(selection.test, true);
    $('detail').focus();
    return event.preventDefault();
  }
  if (isArrow && !inSearch && event.target !== document.body && event.target !== list?.node) return;
  const action = actions[event.key] || (/^[1-7]$/.test(event.key) ? () => showView(views[event.key - 1][0]) : null);
  if (!action) return;
  action();
  event.preventDefault();
}

function start() {
  document.addEventListener('keydown', onKey);
  $('keys').addEventListener('click', () => $('help').showModal());
  $('runs').addEventListener('change', () => openRun($('runs').value));
  // What is painted by hand follows the colours.
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => view.run && view.name === 'timeline' && showView('timeline'));
  matchMedia('(max-width: 760px)').addEventListener('change', () => view.run && view.name === 'tests' && showView('tests'));
  const data = JSON.parse($('data').textContent);
  if (!data) return follow();
  view.title = data.title;
  view.rows = data.runs;
  const reports = new Map(data.reports.map((report) => [report.run, report]));
  view.canOpen = (run) => reports.has(run);
  view.open = (run) => reports.has(run) && showRun(makeRun(reports.get(run), view.rows.find((row) => row.run === run)));
  openRun(view.rows[0].run);
}

start();
