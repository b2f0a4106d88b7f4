// Runs of a server, and one that goes on: its events come as they happen.
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const server = { token: keptToken(), shown: null, wanted: null, stop: null };

// It stays with this tab, and not in its address and history.
function keptToken() {
  if (!location.protocol.startsWith('http')) return null;
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token) {
    sessionStorage.setItem('token', token);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return token || sessionStorage.getItem('token');
}

// Of several workspaces this page shows the one that its address names.
const workspace = new URLSearchParams(location.search).get('workspace');
const address = (path) => (workspace ? `${path}?workspace=${encodeURIComponent(workspace)}` : path);

async function ask(path, options) {
  const headers = server.token ? { Authorization: `Bearer ${server.token}` } : {};
  const answer = await fetch(address(path), { headers, cache: 'no-store', ...options });
  if (answer.status === 401 || answer.status === 403) throw new Error('The server wants a token: open this page by the address that proctor serve printed, with #token=... at its end.');
  if (!answer.ok) throw new Error(`The server answers ${answer.status} to ${path}.`);
  return answer;
}

const askJSON = async (path) => (await ask(path)).json();

// Calls back for each event of a stream of server-sent events, until it ends.
async function listen(path, signal, receive) {
  const reader = (await ask(path, { signal })).body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value.replace(/\r/g, '');
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = { name: 'message', data: [] };
      for (const field of text.slice(0, end).split('\n')) {
        if (field.startsWith('event:')) event.name = field.slice(6).trim();
        if (field.startsWith('data:')) event.data.push(field.slice(5).replace(/^ /, ''));
      }
      text = text.slice(end + 2);
      if (event.data.length) receive(event.name, JSON.parse(event.data.join('\n')));
    }
  }
}

// Redraws what changes while a run goes on, some times a second and not for each event.
function redraw(run) {
  if (run.isDrawing) return;
  run.isDrawing = true;
  setTimeout(() => {
    run.isDrawing = false;
    if (view.run !== run) return;
    showSummary();
    showTabs();
    if (view.name === 'tests') showTests();
  }, 250);
}

async function followRun(row) {
  const isKnown = view.run?.isLive && view.run.row.run === row.run;
  const run = isKnown ? view.run : makeLiveRun({ ...row });
  server.stop = new AbortController();
  if (!isKnown) showRun(run);
  let isOver = false;
  await listen(`runs/${encodeURIComponent(row.run)}/events`, server.stop.signal, (name, data) => {
    if (name === 'progress') {
      run.progress = data;
      const { passed, failed, skipped } = data;
      run.row = { ...run.row, passed, failed, skipped, total_tests: Math.max(data.total || 0, passed + failed + skipped), execution_time_ms: data.execution_time_ms };
    } else if (name === 'test') {
      for (const test of [data].flat()) addLive(run, test);
    } else if (name === 'end') {
      isOver = true;
    }
    redraw(run);
  });
  return isOver;
}

async function follow() {
  view.canOpen = () => true;
  view.open = (run) => {
    // The newest is followed by the next one; any other was chosen to be read.
    server.wanted = run === view.rows[0]?.run ? null : run;
    server.shown = null;
    if (server.stop) server.stop.abort();
    if (server.wake) server.wake();
  };
  $('note').textContent = 'Waiting for the server.';
  showTabs();
  showView('tests');
  followQuestions();
  for (let wait = 1000; ;) {
    try {
      view.rows = (await askJSON('runs')).runs;
      await showNewest();
      wait = 1000;
      if ($('note').dataset.problem) $('note').textContent = delete $('note').dataset.problem && '';
      await new Promise((resolve) => { server.wake = resolve; setTimeout(resolve, 2000); });
    } catch (error) {
      if (error.name === 'AbortError') continue;
      $('note').dataset.problem = 'yes';
      $('note').textContent = error instanceof TypeError ? 'The server does not answer; trying again.' : error.message;
      await pause(wait);
      wait = Math.min(wait * 2, 15000);
    }
  }
}

// The run that was asked for, else the newest.
async function showNewest() {
  if (!view.run) $('note').textContent = '';
  const newest = view.rows[0];
  const row = view.rows.find((row) => row.run === server.wanted) || newest;
  const isElsewhere = newest && newest !== row && newest.run !== server.shown;
  $('live').replaceChildren(isElsewhere ? el('button', { type: 'button', onclick: () => openRun(newest.run) }, newest.status === 'running' ? 'A run goes on: show it' : 'Show the newest run') : '');
  if (!row || (row.run === server.shown && row.status !== 'running')) return showRuns();
  if (row.status === 'running') {
    const isOver = await followRun(row);
    if (!isOver) return pause(1000);
    tell('The run is over.');
    view.rows = (await askJSON('runs')).runs;
  }
  const report = await askJSON(`runs/${encodeURIComponent(row.run)}`);
  server.shown = row.run;
  showRun(makeRun(report, view.rows.find((known) => known.run === row.run) || row));
}
