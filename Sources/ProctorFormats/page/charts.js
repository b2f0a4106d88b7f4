// Drawings. Each has a table or words beside it that say the same.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const tone = (outcome) => (outcome === 'passed' ? 'passed' : outcome === 'skipped' ? 'skipped' : 'failed');

// Round steps of an axis: 1, 2 or 5 times a power of ten.
function steps(most, count) {
  const rough = most / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= rough);
  const result = [];
  for (let value = 0; value <= most * 1.0001; value += step) result.push(value);
  return result;
}

// Rows of tests that do not overlap: the runner's workers, or lanes laid out by time where it names none.
function lanesOf(run) {
  const lanes = new Map();
  const lane = (key, title, kind) => lanes.get(key) || lanes.set(key, { title, kind, bars: [], end: 0 }).get(key);
  for (const adapter of run.report.adapters || []) {
    const project = `${adapter.adapter}${adapter.root === '.' ? '' : ` ${adapter.root}`}`;
    for (const command of adapter.commands || []) {
      if (command.started_ms !== undefined) lane(`${project} 0`, `${project}: commands`, 'commands').bars.push({ start: command.started_ms, end: command.started_ms + command.duration_ms, command });
    }
  }
  const timed = run.tests.filter((test) => test.start !== undefined && test.duration !== undefined).sort((a, b) => a.start - b.start);
  const open = new Map();
  for (const test of timed) {
    const project = projectOf(test);
    const bar = { start: test.start, end: test.start + test.duration, test };
    if (test.worker) {
      lane(`${project} 1 ${test.worker}`, `${project}: worker ${test.worker}`, 'worker').bars.push(bar);
      continue;
    }
    const own = open.get(project) || open.set(project, []).get(project);
    // What the runner's clock and proctor's differ by is no overlap.
    let free = own.find((lane) => lane.end <= bar.start + 2);
    if (!free) {
      const count = own.length + 1;
      free = lane(`${project} 2 ${String(count).padStart(4, '0')}`, `${project}: lane ${count}`, 'lane');
      own.push(free);
    }
    free.bars.push(bar);
    free.end = Math.max(free.end, bar.end);
  }
  return { lanes: [...lanes.entries()].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([, lane]) => lane), untimed: run.tests.length - timed.length };
}

class Timeline {
  constructor(lanes, end) {
    this.lanes = lanes;
    this.end = end;
    this.zoom = 1;
    this.canvas = el('canvas', { role: 'img', 'aria-label': 'Tests by worker and time; the table below says the same' });
    this.room = el('div', {});
    this.node = el('div', { class: 'lanes', tabindex: '0', role: 'region', 'aria-label': 'Timeline', onscroll: () => this.draw() }, this.canvas, this.room);
    this.under = el('p', { class: 'under' }, 'Point at a bar for its name, choose it for its details.');
    this.canvas.addEventListener('mousemove', (event) => this.point(event));
    this.canvas.addEventListener('click', (event) => {
      const bar = this.at(event);
      if (bar && bar.test) openTest(bar.test);
    });
    new ResizeObserver(() => this.draw()).observe(this.node);
  }

  static label = 16;
  static row = 38;

  scaled(by) {
    const middle = (this.node.scrollLeft + this.node.clientWidth / 2) / this.zoom;
    this.zoom = by === 0 ? 1 : Math.min(200, Math.max(1, this.zoom * by));
    this.draw();
    this.node.scrollLeft = middle * this.zoom - this.node.clientWidth / 2;
    this.draw();
  }

  draw() {
    const width = this.node.clientWidth;
    if (!width) return;
    const height = this.lanes.length * Timeline.row + 22;
    this.room.style.cssText = `width:${Math.floor(width * this.zoom)}px;height:1px;margin-top:-1px`;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const pen = this.canvas.getContext('2d');
    pen.scale(ratio, ratio);
    this.scale = (width * this.zoom - 8) / this.end;
    const left = this.node.scrollLeft;
    const x = (ms) => ms * this.scale - left;
    pen.font = '11px system-ui, sans-serif';
    pen.fillStyle = colour('dim');
    pen.strokeStyle = colour('line');
    for (const value of steps(this.end, (width / 110) * this.zoom)) {
      const at = Math.round(x(value)) + 0.5;
      if (at < -100 || at > width) continue;
      pen.beginPath();
      pen.moveTo(at, 0);
      pen.lineTo(at, height - 16);
      pen.stroke();
      const text = tick(value);
      pen.fillText(text, Math.min(at + 2, width - pen.measureText(text).width - 2), height - 5);
    }
    this.lanes.forEach((lane, index) => this.drawLane(pen, lane, index * Timeline.row, x, width));
  }

  drawLane(pen, lane, top, x, width) {
    const colours = { passed: colour('passed'), failed: colour('failed'), skipped: colour('skipped'), command: colour('bar') };
    // What failed is drawn last, and wide enough to be seen.
    const bars = lane.bars.filter((bar) => !bar.test || !isFailure(bar.test.outcome));
    let last = -1;
    for (const bar of [...bars, ...lane.bars.filter((bar) => bar.test && isFailure(bar.test.outcome))]) {
      const kind = bar.test ? tone(bar.test.outcome) : 'command';
      const from = Math.round(x(bar.start));
      const to = Math.max(from + (kind === 'failed' ? 3 : 1), Math.round(x(bar.end)));
      if (to < 0 || from > width) continue;
      // Passing tests narrower than a point need not be drawn on top of each other.
      if (kind === 'passed' && to === last) continue;
      last = to;
      pen.fillStyle = colours[kind];
      pen.fillRect(from, top + Timeline.label, to - from - (to - from > 4 ? 1 : 0), 15);
      if (kind === 'command' && to - from > 46) {
        pen.fillStyle = colour('back');
        pen.fillText(bar.command.purpose, Math.max(2, from) + 4, top + Timeline.label + 11);
      }
    }
    pen.fillStyle = colour('text');
    pen.fillText(line(lane.title), 2, top + 12);
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const lane = this.lanes[Math.floor((event.clientY - box.top) / Timeline.row)];
    const ms = (event.clientX - box.left + this.node.scrollLeft) / this.scale;
    const near = 3 / this.scale;
    return lane && lane.bars.find((bar) => bar.start - near <= ms && ms <= bar.end + near);
  }

  point(event) {
    const bar = this.at(event);
    this.canvas.style.cursor = bar && bar.test ? 'pointer' : 'default';
    this.under.textContent = !bar ? '' : bar.test
      ? `${line(bar.test.fullName)}: ${words[bar.test.outcome]}, ${duration(bar.test.duration)} from ${duration(bar.start)}`
      : `${bar.command.purpose}: ${line(bar.command.argv.join(' ')).slice(0, 200)}, ${duration(bar.end - bar.start)} from ${duration(bar.start)}`;
  }
}

function timelineView() {
  const { lanes, untimed } = lanesOf(view.run);
  if (!lanes.length) return [el('p', { class: 'panel empty' }, 'Nothing of this run has a time of its beginning.')];
  const end = Math.max(1, ...lanes.flatMap((lane) => lane.bars.map((bar) => bar.end)).reduce((most, value) => [Math.max(most[0] || 0, value)], []));
  const timeline = new Timeline(lanes, end);
  const key = (name, title) => el('span', {}, swatch(name), title);
  const button = (title, name, by) => el('button', { type: 'button', class: 'plain', 'aria-label': name, onclick: () => timeline.scaled(by) }, title);
  const rows = lanes.map((lane) => {
    const longest = lane.bars.reduce((most, bar) => (!most || bar.end - bar.start > most.end - most.start ? bar : most), null);
    const busy = lane.bars.reduce((sum, bar) => sum + bar.end - bar.start, 0);
    return [line(lane.title), number(lane.bars.length), duration(lane.bars[0].start), duration(busy),
      longest.test ? testLink(longest.test) : line(longest.command.purpose), duration(longest.end - longest.start)];
  });
  return [
    lanes.some((lane) => lane.kind === 'lane') && el('p', { class: 'hint' }, 'Where a runner does not name its workers, tests that overlap in time are laid into lanes; these are not its threads.'),
    untimed > 0 && el('p', { class: 'hint' }, `${plural(untimed, 'test')} ${untimed === 1 ? 'is' : 'are'} not drawn: skipped, or of a runner that does not say when a test begins.`),
    el('div', { class: 'panel chart' },
      el('div', { class: 'legend' }, key('passed', 'passed'), key('failed', 'failed'), key('skipped', 'skipped'), key('bar', 'command'),
        button('+', 'Zoom in', 2), button('\u2212', 'Zoom out', 0.5), button('1:1', 'The whole run', 0)),
      timeline.node, timeline.under),
    table('What stands in the timeline.', [['Lane'], ['Bars', 'number'], ['From', 'number'], ['Busy', 'number'], ['Longest', 'text'], ['Time', 'number']], rows),
  ];
}

function swatch(name) {
  const node = el('i', {});
  node.style.background = `var(--${name})`;
  return node;
}

// One line a command, over the time of the run.
function usageChart(title, unit, commands, value, end) {
  const [width, height, left, bottom] = [Math.max(320, $('view').clientWidth - 66), 190, 52, 22];
  const most = Math.max(1, ...commands.map((command) => Math.max(0, ...command.samples.map((sample) => sample[value] || 0))));
  const x = (ms) => left + (ms / end) * (width - left - 8);
  const y = (amount) => height - bottom - (amount / most) * (height - bottom - 10);
  const paths = commands.map((command, index) => {
    const points = command.samples.filter((sample) => sample[value] !== undefined);
    const path = points.map((sample, at) => `${at ? 'L' : 'M'}${x(command.started_ms + sample.elapsed_ms).toFixed(1)},${y(sample[value]).toFixed(1)}`).join('');
    const node = svg('path', { d: path, fill: 'none', 'stroke-width': 1.6, 'stroke-linejoin': 'round' });
    node.style.stroke = `var(--${usageColours[index % usageColours.length]})`;
    return node;
  });
  const rule = (x1, y1, x2, y2) => {
    const node = svg('line', { x1, y1, x2, y2, 'stroke-width': 1 });
    node.style.stroke = 'var(--line)';
    return node;
  };
  const peak = `${title}: at most ${number(Math.round(most))} ${unit} in ${duration(end)}`;
  return el('div', { class: 'panel chart' }, el('h3', {}, title),
    svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': peak },
      steps(most, 4).map((amount) => [rule(left, y(amount), width - 8, y(amount)), svg('text', { x: left - 6, y: y(amount) + 4, 'text-anchor': 'end' }, number(Math.round(amount * 10) / 10))]),
      steps(end, 7).map((ms) => svg('text', { x: x(ms), y: height - 6, 'text-anchor': ms > end * 0.95 ? 'end' : 'middle' }, tick(ms))), paths),
    el('p', { class: 'under' }, peak));
}

const usageColours = ['accent', 'flaky', 'passed', 'skipped', 'failed', 'dim'];

function resourcesView() {
  const all = (view.run.report.adapters || []).flatMap((adapter) => (adapter.commands || []).map((command) => ({ ...command, project: `${adapter.adapter}${adapter.root === '.' ? '' : ` ${adapter.root}`}` })));
  if (!all.length) return [el('p', { class: 'panel empty' }, view.run.isLive ? 'Known when the run is over.' : 'No command ran.')];
  const drawn = all.filter((command) => command.samples && command.started_ms !== undefined);
  const end = Math.max(1, ...all.map((command) => (command.started_ms || 0) + command.duration_ms));
  const legend = el('div', { class: 'legend' }, drawn.map((command, index) => el('span', {}, swatch(usageColours[index % usageColours.length]), `${line(command.project)}: ${command.purpose}`)));
  const has = (value) => drawn.some((command) => command.samples.some((sample) => sample[value] !== undefined));
  const rows = all.map((command) => [
    line(command.project), command.purpose, el('span', { class: 'mono' }, isolated(command.argv.join(' ').slice(0, 300))),
    command.exit_code !== undefined ? String(command.exit_code) : command.signal !== undefined ? `signal ${command.signal}` : 'not started',
    duration(command.duration_ms), command.peak_memory_mb !== undefined ? `${number(Math.round(command.peak_memory_mb))} MB` : '', duration(command.cpu_ms),
  ]);
  return [
    drawn.length ? legend : el('p', { class: 'hint' }, 'The commands were too short to be sampled, or could not be measured.'),
    has('memory_mb') && usageChart('Memory (MB)', 'MB', drawn, 'memory_mb', end), has('cpu_percent') && usageChart('Processor (percent of one core)', 'percent', drawn, 'cpu_percent', end),
    table('Commands of this run.', [['Project'], ['Purpose'], ['Command', 'text'], ['Exit', 'number'], ['Time', 'number'], ['Peak memory', 'number'], ['Processor time', 'number']], rows),
  ];
}

const verdictTone = (row) => (row.status === 'passed' ? 'passed' : row.status === 'no_tests' ? 'skipped' : 'failed');

// A bar for each run, the oldest first: as high as `value`, in the colour of the verdict.
function trendChart(rows, { height, width, value, format, title, axis, onChoose }) {
  const most = Math.max(1, ...rows.map(value));
  const [left, bottom] = axis ? [58, 4] : [0, 0];
  const step = Math.min(44, (width - left) / rows.length);
  const y = (amount) => (height - bottom) - (amount / most) * (height - bottom - (axis ? 8 : 2));
  const bars = rows.map((row, index) => {
    // Nothing is seen as such.
    const top = Math.min(y(value(row)), height - bottom - 2);
    const bar = svg('rect', { x: left + index * step, y: top, width: Math.max(1, step - 2), height: height - bottom - top, rx: 1 });
    bar.style.fill = `var(--${verdictTone(row)})`;
    bar.style.opacity = view.run && row.run !== view.run.row.run ? '0.6' : '1';
    if (onChoose && canOpen(row)) {
      bar.style.cursor = 'pointer';
      bar.addEventListener('click', () => onChoose(row));
    }
    bar.append(svg('title', {}, `${moment(row.started_at)}: ${words[row.status]}, ${format(value(row))}`));
    return bar;
  });
  const marks = axis ? steps(most, 3).map((amount) => {
    const rule = svg('line', { x1: left, x2: width, y1: y(amount), y2: y(amount) });
    rule.style.stroke = 'var(--line)';
    return [rule, svg('text', { x: left - 6, y: y(amount) + 4, 'text-anchor': 'end' }, format(amount))];
  }) : [];
  const last = rows[rows.length - 1];
  return svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${title} of ${plural(rows.length, 'run')}: ${format(value(last))} in the last one, at most ${format(most)}` }, marks.flat(), bars);
}
