// One test: what it said, the code it said it of, and what became of it before.
function codeOf(file, at) {
  const part = excerptOf(view.run, file, at);
  if (!part) return null;
  const rows = part.lines.map((text, index) => {
    const here = part.first_line + index;
    return el('li', { 'aria-current': here === at ? 'true' : null }, el('span', {}, here), el('code', {}, lines(text) || ' '));
  });
  return [
    el('div', { class: 'code', tabindex: '0', role: 'region', 'aria-label': `Code of ${line(file)} around line ${at}` }, el('ol', {}, rows)),
    part.changed_since && el('p', { class: 'dim' }, 'This file was changed after the run began: these need not be the lines that ran.'),
  ];
}

const place = (file, at, column) => (file ? isolated(`${file}${at ? `:${at}` : ''}${column ? `:${column}` : ''}`, { class: 'mono' }) : null);

function output(title, text, omitted) {
  if (!text) return null;
  const rest = omitted ? `, ${plural(omitted, 'byte')} cut` : '';
  return el('details', { open: text.length < 4000 }, el('summary', {}, `${title} (${plural(text.split('\n').length, 'line')}${rest})`), el('pre', { tabindex: '0' }, lines(text)));
}

function failureParts(failure) {
  if (!failure) return null;
  const more = (failure.more_failures || []).map((part) => [
    el('h4', {}, 'Also ', place(part.file, part.line, part.column)), el('pre', { class: 'error' }, lines(part.error)), part.file && part.line && codeOf(part.file, part.line),
  ]);
  const frames = (failure.frames || []).map((frame) => el('li', { class: 'mono' }, frame.function ? [isolated(frame.function), ' '] : null, place(frame.file, frame.line)));
  return [
    el('h4', {}, failure.line ? ['Failed at ', place(failure.file, failure.line, failure.column)] : 'Failed'),
    el('pre', { class: 'error', tabindex: '0' }, lines(failure.error)),
    failure.file && failure.line && codeOf(failure.file, failure.line),
    more,
    frames.length > 1 && [el('h4', {}, 'Called from, innermost first'), el('ol', {}, frames)],
    output('Standard output', failure.stdout, failure.stdout_omitted_bytes),
    output('Standard error', failure.stderr, failure.stderr_omitted_bytes),
  ];
}

function attemptParts(test) {
  if (!test.attempts) return null;
  const rows = test.attempts.map((attempt, index) => [
    String(index + 1), el('span', { class: `tag ${attempt.outcome}` }, words[attempt.outcome]), duration(attempt.duration_ms), attempt.worker ? line(attempt.worker) : '',
    [attempt.error ? lines(attempt.error) : '', output('output', attempt.stdout), output('error output', attempt.stderr)],
  ]);
  return [el('h4', {}, 'Attempts'), table('Every execution; the last one decides.', [['#', 'number'], ['Outcome'], ['Time', 'number'], ['Worker'], ['Error', 'text']], rows)];
}

function strip(run, test) {
  const history = historyOf(run, test);
  if (!history || history.runs.length < 2) return null;
  const said = [...history.letters].map((letter) => words[letters[letter]] || 'not there').join(', ');
  return el('span', { class: 'strip', role: 'img', 'aria-label': `The oldest run first: ${said}` }, [...history.letters].map((letter) => el('i', { class: letter })));
}

function rerun(test) {
  const quoted = /^[\w.\/:@%+=,-]+$/.test(test.id) ? test.id : `'${test.id.replace(/'/g, "'\\''")}'`;
  const text = `proctor test ${quoted}`;
  const button = el('button', { type: 'button', class: 'plain', onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      tell('Copied');
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(code);
    }
  } }, 'Copy');
  const code = el('code', {}, line(text));
  return el('div', { class: 'command' }, code, button);
}

function showDetail(test, isAsked) {
  const node = $('detail');
  if (!node) return;
  if (!test) {
    node.replaceChildren(el('p', { class: 'empty' }, 'Choose a test.'));
    node.classList.remove('open');
    return;
  }
  const past = strip(view.run, test);
  node.replaceChildren(
    el('button', { type: 'button', class: 'back plain', onclick: closeDetail }, 'Back to the list'),
    el('h3', {}, isolated(test.name)),
    el('div', { class: 'meta' }, el('span', { class: `tag ${test.outcome}` }, words[test.outcome]),
      test.quarantined && el('span', { class: 'tag skipped' }, 'quarantined'),
      !test.quarantined && test.raw && test.raw !== words[test.outcome] && el('span', {}, `the runner says ${line(test.raw)}`),
      test.flaky && el('span', { class: 'tag flaky' }, 'flaky'), el('span', {}, duration(test.duration)),
      test.start !== undefined && el('span', {}, `from ${duration(test.start)}`), test.worker && el('span', {}, `worker ${line(test.worker)}`),
      el('span', {}, place(test.file, test.line))),
    ...[
      test.fullName !== test.name && el('p', { class: 'dim' }, isolated(test.fullName)),
      test.quarantined && quarantineParts(test.quarantined),
      !test.quarantined && test.note && [el('h4', {}, 'Why'), el('pre', {}, lines(test.note))],
      test.flaky && [el('h4', {}, 'Flaky'), el('p', {}, `${test.flaky.text}.`)],
      past && [el('h4', {}, 'Runs up to this one, the oldest first'), past],
      view.run.isLive && isFailure(test.outcome) && el('p', { class: 'hint' }, 'Its message and the code around it come when the run is over.'),
      failureParts(test.failure), attemptParts(test), el('h4', {}, 'Run it again'), rerun(test),
    ].flat(3).filter(Boolean));
  node.scrollTop = 0;
  if (isAsked) node.classList.add('open');
}

// A failure that proctor-quarantine.toml keeps out of the verdict.
function quarantineParts(entry) {
  const place = entry.file && `${entry.file}${entry.line ? `:${entry.line}` : ''}`;
  return [
    el('h4', {}, 'Quarantined'),
    el('p', {}, `It ${words[entry.outcome]}, and does not count until ${line(entry.expires)}: ${line(entry.reason)} (${line(entry.owner)}).`),
    el('pre', { class: 'error' }, lines(entry.error)), place && el('p', { class: 'dim' }, isolated(place)),
  ].filter(Boolean);
}

function closeDetail() {
  $('detail').classList.remove('open');
  list.node.focus();
}

function openTest(test) {
  selection.test = test;
  if (!selection.found.includes(test)) Object.assign(selection, { query: '', kind: 'all' });
  showView('tests');
  choose(test, true);
  if (getComputedStyle($('detail')).position !== 'fixed') list.node.focus();
}

const testLink = (test) => el('button', { type: 'button', class: 'link', onclick: () => openTest(test) }, isolated(test.fullName));
