// The list of tests, of which only what can be seen is there, and the search in it.
const kinds = [
  ['all', 'All', () => true], ['failed', 'Failed', (test) => isFailure(test.outcome)],
  ['flaky', 'Flaky', (test) => test.flaky !== null], ['skipped', 'Skipped', (test) => test.outcome === 'skipped'],
  ['passed', 'Passed', (test) => test.outcome === 'passed'],
];
const orders = [
  ['state', 'Failed first', (a, b) => isFailure(b.outcome) - isFailure(a.outcome) || a.index - b.index],
  ['file', 'As listed', (a, b) => a.index - b.index],
  ['slow', 'Slowest first', (a, b) => (b.duration || 0) - (a.duration || 0) || a.index - b.index],
  ['name', 'By name', (a, b) => (a.fullName < b.fullName ? -1 : a.fullName > b.fullName ? 1 : a.index - b.index)],
];
const selection = { query: '', kind: 'all', order: 'state', test: null, found: [] };
let list = null;

// Words that must all be there, `-word` that must not; each looked for in names, files and messages.
function matcher(query) {
  const parts = query.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = parts.filter((part) => !(part.startsWith('-') && part.length > 1));
  const unwanted = parts.filter((part) => part.startsWith('-') && part.length > 1).map((part) => part.slice(1));
  return (test) => wanted.every((part) => test.text.includes(part)) && !unwanted.some((part) => test.text.includes(part));
}

function search() {
  const kind = kinds.find(([name]) => name === selection.kind)[2];
  const order = orders.find(([name]) => name === selection.order)[2];
  const matches = matcher(selection.query);
  selection.found = view.run.tests.filter((test) => kind(test) && matches(test)).sort(order);
}

class TestList {
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.inner = el('div', { role: 'presentation' });
    this.node = el('div', { class: 'list panel', role: 'listbox', tabindex: '0', 'aria-label': 'Tests', id: 'list', onscroll: () => this.draw() }, this.inner);
    this.height = matchMedia('(max-width: 760px)').matches ? 44 : 30;
    new ResizeObserver(() => this.draw()).observe(this.node);
  }

  show() {
    this.inner.style.height = `${Math.max(1, selection.found.length) * this.height}px`;
    this.draw();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.node.scrollTop / this.height) - 6);
    const count = Math.ceil((this.node.clientHeight || 600) / this.height) + 12;
    const rows = selection.found.slice(first, first + count).map((test, index) => this.row(test, first + index));
    this.inner.replaceChildren(...(rows.length ? rows : [el('p', { class: 'empty' }, view.run.tests.length ? 'No test matches.' : 'No tests yet.')]));
    const chosen = selection.found.indexOf(selection.test);
    if (chosen >= first && chosen < first + count) this.node.setAttribute('aria-activedescendant', `row-${chosen}`);
    else this.node.removeAttribute('aria-activedescendant');
  }

  row(test, index) {
    const row = el('div', {
      class: 'row', role: 'option', id: `row-${index}`, 'aria-selected': test === selection.test ? 'true' : 'false',
      'aria-posinset': index + 1, 'aria-setsize': selection.found.length,
      'aria-label': `${line(test.name)}, ${words[test.outcome]}${test.flaky ? ', flaky' : ''}${test.quarantined ? ', quarantined' : ''}`,
      onclick: () => this.onChoose(test, true),
    },
    el('span', { class: `dot ${test.outcome}`, 'aria-hidden': 'true' }), isolated(test.name, { class: 'name' }),
    test.flaky && el('span', { class: 'tag flaky' }, 'flaky'), test.quarantined && el('span', { class: 'tag skipped' }, 'quarantined'),
    el('span', { class: 'where' }, isolated(test.file ? `${test.file}${test.line ? `:${test.line}` : ''}` : test.suite || '')),
    el('span', { class: 'time' }, duration(test.duration)));
    row.style.top = `${index * this.height}px`;
    row.style.height = `${this.height}px`;
    return row;
  }

  reveal(test) {
    const index = selection.found.indexOf(test);
    if (index < 0) return;
    const top = index * this.height;
    if (top < this.node.scrollTop) this.node.scrollTop = top;
    const bottom = top + this.height - this.node.clientHeight;
    if (bottom > this.node.scrollTop) this.node.scrollTop = bottom;
  }
}

// By so many tests from the chosen one, or to the next one that fails.
function move(by, accepts = () => true) {
  const found = selection.found;
  let index = found.indexOf(selection.test);
  if (index < 0) index = by > 0 ? -1 : found.length;
  const step = Math.sign(by);
  const isPlain = accepts.length === 0;
  index = isPlain ? Math.min(Math.max(0, index + by), found.length - 1) : index + step;
  while (!isPlain && index >= 0 && index < found.length && !accepts(found[index])) index += step;
  if (found[index]) choose(found[index], false);
}

function choose(test, isAsked) {
  selection.test = test;
  list.reveal(test);
  list.draw();
  showDetail(test, isAsked);
}

function testsView() {
  const counts = el('span', { class: 'dim', id: 'count', role: 'status' });
  const buttons = kinds.map(([name, title, accepts]) => el('button', {
    type: 'button', 'data-kind': name, 'aria-pressed': selection.kind === name ? 'true' : 'false', onclick: () => { selection.kind = name; showTests(); },
  }, title, el('b', {})));
  list = new TestList(choose);
  const input = el('input', {
    type: 'search', id: 'search', placeholder: 'Search names, files, messages', 'aria-label': 'Search tests', autocomplete: 'off', spellcheck: 'false',
    oninput: () => { selection.query = input.value; showTests(); },
  });
  input.value = selection.query;
  const order = el('select', { 'aria-label': 'Order', onchange: () => { selection.order = order.value; showTests(); } },
    orders.map(([name, title]) => el('option', { value: name, selected: selection.order === name }, title)));
  return [
    el('div', { class: 'tools', role: 'search' }, input, el('div', { class: 'kinds', role: 'group', 'aria-label': 'Outcome' }, buttons), order, counts),
    el('div', { class: 'split' }, list.node, el('section', { class: 'detail panel', id: 'detail', tabindex: '-1', 'aria-label': 'The chosen test' })),
  ];
}

function showTests() {
  search();
  for (const [name, , accepts] of kinds) {
    const button = document.querySelector(`[data-kind="${name}"]`);
    button.setAttribute('aria-pressed', selection.kind === name ? 'true' : 'false');
    button.lastChild.textContent = number(view.run.tests.filter(accepts).length);
  }
  $('count').textContent = `${number(selection.found.length)} of ${plural(view.run.tests.length, 'test')}`;
  if (!selection.found.includes(selection.test)) {
    selection.test = selection.found[0] || null;
    list.node.scrollTop = 0;
    showDetail(selection.test, false);
  }
  list.show();
}
