// Elements and text. What tests say only ever becomes text, never markup.
const $ = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

// Characters that cannot be seen, or that change how others are shown, are written out.
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const written = (character) => '\\u' + character.charCodeAt(0).toString(16).padStart(4, '0');
const colours = /\u001b\[[0-9;]*m/g;

const lines = (text) => String(text).replace(/\r\n/g, '\n').replace(colours, '').replace(unseen, written);
const line = (text) => lines(text).replace(/\n/g, '\\n').replace(/\t/g, ' ');
const isolated = (text, attributes) => el('bdi', attributes, line(text));

function duration(ms) {
  if (ms === undefined || ms === null) return '';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60000)} min ${Math.round((ms % 60000) / 1000)} s`;
}

// The same on an axis, where there is little room.
function tick(ms) {
  if (ms === 0) return '0';
  if (ms < 1000) return `${+ms.toFixed(1)} ms`;
  if (ms < 60000) return `${+(ms / 1000).toFixed(2)} s`;
  return `${Math.floor(ms / 60000)}:${String(Math.round((ms % 60000) / 1000)).padStart(2, '0')} min`;
}

const number = (value) => value.toLocaleString('en');
const plural = (count, word) => `${number(count)} ${word}${count === 1 ? '' : 's'}`;

function moment(text) {
  const date = text ? new Date(text) : null;
  if (!date || Number.isNaN(date.getTime())) return 'unknown time';
  const two = (value) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

const words = {
  passed: 'passed', failed: 'failed', skipped: 'skipped', errored: 'errored', timed_out: 'timed out', crashed: 'crashed',
  partial_failure: 'failed', no_tests: 'no tests', error: 'no verdict', running: 'running',
};
const isFailure = (outcome) => outcome !== 'passed' && outcome !== 'skipped';

const tell = (text) => { $('told').textContent = text; };

function table(caption, columns, rows) {
  return el('div', { class: 'panel scroll' }, el('table', {},
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, columns.map(([title, kind]) => el('th', { scope: 'col', class: kind }, title)))),
    el('tbody', {}, rows.map((cells) => el('tr', {}, cells.map((cell, index) => el('td', { class: columns[index][1] }, cell)))))));
}
