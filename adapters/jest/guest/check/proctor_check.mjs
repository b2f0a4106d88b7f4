// Says whether JavaScript and TypeScript files compile and whether what they import is there, over proctor's own
// channel. No file of the project is run, but for its babel configuration where files need one.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';

const FRAME = 4096;
const request = JSON.parse(fs.readFileSync(process.env.PROCTOR_REQUEST, 'utf8'));
const channel = fs.openSync(process.env.PROCTOR_CHANNEL, 'a');
const head = `P1 ${process.env.PROCTOR_NONCE} ${process.pid}`;
// No program of the project gets them.
for (const name of ['PROCTOR_REQUEST', 'PROCTOR_CHANNEL', 'PROCTOR_NONCE']) delete process.env[name];
let sequence = 0;
let errors = 0;

function send(record) {
  // ASCII only: a frame is cut by bytes.
  let payload = JSON.stringify(record).replace(/[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  for (;;) {
    const start = `${head} ${sequence++} `;
    const room = FRAME - start.length - 3;
    const last = payload.length <= room;
    fs.writeSync(channel, `${start}${last ? '.' : '+'} ${payload.slice(0, room)}\n`);
    if (last) return;
    payload = payload.slice(room);
  }
}

function report(severity, finder, file, message, more = {}) {
  if (severity === 'error') errors += 1;
  send({ event: 'diagnostic', severity, finder, file, message: String(message).slice(0, 4000), ...more });
}

// What a file is.

const manifests = new Map();
function manifest(folder) {
  if (!manifests.has(folder)) {
    let found = null;
    try {
      found = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    } catch { /* none here, or one that is reported as a file of its own */ }
    const parent = path.dirname(folder);
    manifests.set(folder, found ?? (parent === folder ? {} : manifest(parent)));
  }
  return manifests.get(folder);
}

function kind(file) {
  if (/\.d\.[cm]?ts$/.test(file) || /\.[cm]?tsx?$/.test(file)) return 'typescript';
  if (file.endsWith('.mjs')) return 'module';
  if (file.endsWith('.cjs')) return 'script';
  if (file.endsWith('.jsx')) return 'transformed';
  return manifest(path.dirname(file)).type === 'module' ? 'module' : 'script';
}

// Compiling JavaScript.

const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

function compile(source, file, as) {
  try {
    if (as === 'module') new vm.SourceTextModule(source, { identifier: file });
    else vm.compileFunction(source.replace(/^#!.*/, ''), PARAMETERS, { filename: file });
    return null;
  } catch (error) {
    return error;
  }
}

// The engine keeps the place of an error in a module to itself; node's own check prints it.
let asked = 0;
function place(error, source, as) {
  let text = String(error.stack);
  if (as === 'module' && asked++ < 200) {
    const run = spawnSync(process.execPath, ['--input-type=module', '--check', '-'],
      { input: source, encoding: 'utf8', timeout: 20000 });
    text = run.stderr ?? '';
  }
  const lines = text.split('\n');
  const found = /:(\d+)$/.exec(lines[0] ?? '');
  if (!found) return {};
  const caret = /^(\s*)(\^+)/.exec(lines[2] ?? '');
  const line = Number(found[1]);
  if (!caret) return { line };
  const column = caret[1].length + 1;
  return { line, column, end_line: line, end_column: column + caret[2].length };
}

// The project's settings of babel are programs: they run in a process of their own, which has no part in the report.
// What it says is believed of the files that it was asked about, since settings decide what these may be.
const BABEL = `
const { createRequire } = require('node:module');
const fs = require('node:fs');
const path = require('node:path');
const { root, files } = JSON.parse(fs.readFileSync(0, 'utf8'));
let core = null;
try { core = createRequire(path.join(root, 'package.json'))('@babel/core'); } catch {}
for (const [file, source] of core ? files : []) {
  let answer = {};
  try {
    core.parseSync(source, {
      filename: file, cwd: root, root, caller: { name: 'proctor' }, parserOpts: { errorRecovery: false },
    });
  } catch (error) {
    answer = { message: String(error.message), name: error.name, loc: error.loc };
  }
  fs.writeSync(3, JSON.stringify({ file, ...answer }) + '\\n');
}
fs.writeSync(3, JSON.stringify({ absent: !core }) + '\\n');
`;

/** Of each file what babel says: null when it can be read, an error otherwise. Of some nothing, when it ended early. */
function transformed(files) {
  const run = spawnSync(process.execPath, ['--no-warnings', '--eval', BABEL], {
    input: JSON.stringify({ root: request.root, files }), cwd: request.root, maxBuffer: 256 << 20,
    stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
  });
  const answers = new Map();
  for (const line of String(run.output?.[3] ?? '').split('\n')) {
    try {
      const { file, absent, ...error } = JSON.parse(line);
      if (absent !== undefined) answers.isAbsent = absent;
      else answers.set(file, error.message === undefined ? null : error);
    } catch { /* the last line is empty, or cut */ }
  }
  return answers;
}

const deferred = [];

/** What node could not read, or nobody tried: babel may. */
function settle() {
  const answers = transformed(deferred.map(({ file, source }) => [file, source]));
  for (const { file, source, as, error } of deferred) {
    const other = answers.get(file);
    if (other === null) continue;
    if (error) {
      report('error', 'compile', file, error.message, { code: error.name, ...place(error, source, as) });
    } else if (other) {
      parserError(file, other);
    } else if (answers.isAbsent) {
      report('error', 'compile', file, 'nothing here can read JSX: @babel/core is not installed', { code: 'no-parser' });
    } else {
      report('error', 'compile', file, 'babel ended before it had read the file', { code: 'exited' });
    }
  }
}

function check(file) {
  const bytes = fs.readFileSync(file);
  let source;
  try {
    source = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    report('error', 'compile', file, 'the file is not UTF-8 text', { code: 'encoding' });
    return null;
  }
  const as = kind(file);
  if (as === 'typescript') return source;
  if (as === 'transformed') {
    deferred.push({ file, source, as });
    return source;
  }
  let error = compile(source, file, as);
  if (!error) return source;
  // Without a type in the manifest, transforms decide whether import is allowed.
  if (as === 'script' && !manifest(path.dirname(file)).type && /^\s*(import|export)\b/m.test(source)) {
    if (!compile(source, file, 'module')) return source;
  }
  const own = as === 'script' && /import statement|Unexpected token 'export'|import\.meta/.test(error.message)
    ? 'module' : as;
  if (own !== as) error = compile(source, file, own) ?? error;
  deferred.push({ file, source, as: own, error });
  return source;
}

function parserError(file, error) {
  const { line, column } = error.loc ?? {};
  report('error', 'compile', file, String(error.message).split('\n')[0].replace(/^.*?: /, '').replace(/ \(\d+:\d+\)$/, ''),
    { code: error.name, line, column: line && column + 1 });
}

// Finding what is imported: strings, comments and regular expressions are passed over, not searched.

function* imports(source) {
  let index = 0;
  let optional = [];
  let depth = 0;
  let previous = '';
  let line = 1;
  let start = 0;
  const word = /[A-Za-z_$][\w$]*/y;
  const text = /\s*\(?\s*(?:'([^'\\\n]+)'|"([^"\\\n]+)")/y;
  const skip = (end) => {
    for (; index < end; index++) {
      if (source[index] === '\n') { line += 1; start = index + 1; }
    }
  };
  const close = (quote) => {
    let at = index + 1;
    while (at < source.length && source[at] !== quote) {
      if (source[at] === '\\') at += 1;
      else if (quote !== '`' && source[at] === '\n') break;
      at += 1;
    }
    return at + 1;
  };
  while (index < source.length) {
    const c = source[index];
    const next = source[index + 1];
    if (c === '/' && next === '/') {
      const end = source.indexOf('\n', index);
      skip(end < 0 ? source.length : end);
    } else if (c === '/' && next === '*') {
      const end = source.indexOf('*/', index + 2);
      skip(end < 0 ? source.length : end + 2);
    } else if (c === '/' && /^$|[=(,:;!&|?{}[+\-*%<>~^]|return|typeof|case/.test(previous)) {
      let at = index + 1;
      let inClass = false;
      while (at < source.length && source[at] !== '\n' && (inClass || source[at] !== '/')) {
        if (source[at] === '\\') at += 1;
        else if (source[at] === '[') inClass = true;
        else if (source[at] === ']') inClass = false;
        at += 1;
      }
      skip(at + 1);
      previous = 'x';
    } else if (c === "'" || c === '"' || c === '`') {
      skip(close(c));
      previous = 'x';
    } else if (/[A-Za-z_$]/.test(c)) {
      word.lastIndex = index;
      const name = word.exec(source)[0];
      const after = index + name.length;
      const isMember = previous === '.';
      if (!isMember && ['require', 'import', 'from'].includes(name)) {
        text.lastIndex = after;
        const found = text.exec(source);
        const called = found && found[0].includes('(');
        if (found && (name === 'import' || (name === 'require' ? called : !called))) {
          const specifier = found[1] ?? found[2];
          const at = after + found[0].length - specifier.length - 1;
          skip(at);
          const place = { line, column: index - start + 1 };
          skip(after + found[0].length);
          yield { specifier, ...place, optional: optional.length > 0 };
        }
      }
      if (index < after) skip(after);
      if (name === 'try') optional.push({ depth, opened: false });
      previous = name;
    } else {
      if (c === '{') {
        const last = optional.at(-1);
        if (last && !last.opened) last.opened = true;
        depth += 1;
      } else if (c === '}') {
        depth -= 1;
        optional = optional.filter((block) => block.depth < depth || !block.opened);
      }
      if (!/\s/.test(c)) previous = c;
      skip(index + 1);
    }
  }
}

const ENDINGS = ['', '.js', '.json', '.mjs', '.cjs', '.jsx', '.ts', '.tsx', '.mts', '.cts', '.d.ts', '.node'];

function isFile(name) {
  return fs.statSync(name, { throwIfNoEntry: false })?.isFile() === true;
}

/** Whether node, jest, babel or TypeScript would find a relative path. */
function exists(target) {
  // What is no code is a matter of the transforms.
  if (ENDINGS.some((ending) => isFile(target + ending))) return true;
  const swapped = /^(.*)\.([cm]?)jsx?$/.exec(target);
  if (swapped && [`.${swapped[2]}ts`, '.tsx', '.d.ts'].some((ending) => isFile(swapped[1] + ending))) return true;
  if (!fs.statSync(target, { throwIfNoEntry: false })?.isDirectory()) return false;
  try {
    const { main } = JSON.parse(fs.readFileSync(path.join(target, 'package.json'), 'utf8'));
    if (main && exists(path.join(target, main))) return true;
  } catch { /* no manifest */ }
  return ENDINGS.slice(1).some((ending) => isFile(path.join(target, `index${ending}`)));
}

function resolve(file, source) {
  const own = createRequire(file);
  const { dependencies, devDependencies, peerDependencies } = manifest(path.dirname(file));
  const named = { ...dependencies, ...devDependencies, ...peerDependencies };
  for (const { specifier, line, column, optional } of imports(source)) {
    const range = { line, column, end_line: line, end_column: column + specifier.length };
    if (optional) continue;
    if (/^\.{1,2}(\/|$)/.test(specifier)) {
      const target = path.resolve(path.dirname(file), specifier.replace(/[?#].*$/, ''));
      if (!exists(target)) {
        report('error', 'resolve', file, `Cannot find module '${specifier}'`, { code: 'MODULE_NOT_FOUND', ...range });
      }
      continue;
    }
    const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
    if (specifier.includes(':') || builtinModules.includes(name) || !(name in named)) continue;
    // Only what the manifest promises: other names may be aliases of a bundler or of jest.
    const isThere = (own.resolve.paths(name) ?? []).some((folder) => fs.existsSync(path.join(folder, name)));
    if (!isThere) {
      report('error', 'resolve', file, `the package '${name}' is not installed`, { code: 'MODULE_NOT_FOUND', ...range });
    }
  }
}

// TypeScript.

function typescriptOf(root) {
  for (const from of [path.join(root, 'package.json'), '/usr/share/nodejs/package.json']) {
    try {
      return createRequire(from)(from.startsWith('/usr') ? '/usr/share/nodejs/typescript' : 'typescript');
    } catch { /* not here */ }
  }
  return null;
}

function typed(files) {
  const ts = typescriptOf(request.root);
  if (!ts) {
    send({ event: 'problem', message: `${files.length} TypeScript files cannot be checked: typescript is not installed `
      + '(npm install --save-dev typescript, or apt install node-typescript)' });
    return;
  }
  const pending = new Set(files);
  // A configuration may only refer to others, which have the files: a set goes on with what is added meanwhile.
  const found = configurations(files);
  for (const configuration of found) {
    const parsed = ts.getParsedCommandLineOfConfigFile(configuration, { noEmit: true },
      { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (d) => tell(ts, d, configuration) });
    if (!parsed) continue;
    parsed.errors.forEach((d) => tell(ts, d, configuration));
    const references = parsed.projectReferences ?? [];
    references.forEach((reference) => found.add(path.resolve(ts.resolveProjectReferencePath(reference))));
    const options = { ...parsed.options, noEmit: true };
    // As editors do: what a reference would be built to is not there.
    const host = { ...ts.createCompilerHost(options), useSourceOfProjectReferenceRedirect: () => true };
    const program = ts.createProgram({ rootNames: parsed.fileNames, options, projectReferences: references, host });
    ts.getPreEmitDiagnostics(program).forEach((d) => tell(ts, d, configuration));
    parsed.fileNames.forEach((name) => pending.delete(path.resolve(name)));
  }
  for (const file of pending) {
    // Of no program: whether it can be read.
    const result = ts.transpileModule(fs.readFileSync(file, 'utf8'), { fileName: file, reportDiagnostics: true,
      compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, jsx: 1 } });
    result.diagnostics.forEach((d) => tell(ts, d, file));
    resolve(file, fs.readFileSync(file, 'utf8'));
  }
}

/** The nearest tsconfig.json of each file, up to the project. */
function configurations(files) {
  const found = new Set();
  for (const file of files) {
    for (let folder = path.dirname(file); folder.startsWith(request.root); folder = path.dirname(folder)) {
      const name = path.join(folder, 'tsconfig.json');
      if (isFile(name)) { found.add(name); break; }
    }
  }
  return found;
}

const SEVERITIES = ['warning', 'error', 'note', 'note'];

function tell(ts, diagnostic, fallback) {
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
  const more = { code: `TS${diagnostic.code}` };
  if (diagnostic.file && diagnostic.start !== undefined) {
    const start = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
    const end = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start + (diagnostic.length ?? 0));
    Object.assign(more, { line: start.line + 1, column: start.character + 1, end_line: end.line + 1, end_column: end.character + 1 });
  }
  report(SEVERITIES[diagnostic.category] ?? 'error', 'compile', diagnostic.file ? path.resolve(diagnostic.file.fileName) : fallback,
    message, more);
}

const typescript = [];
let checked = 0;
for (const file of request.manifests) {
  try {
    JSON.parse(fs.readFileSync(file, 'utf8').replace(/^\ufeff/, ''));
  } catch (error) {
    report('error', 'compile', file, error.message, { code: error.name });
  }
}
for (const file of request.files) {
  send({ event: 'importing', file });
  let source;
  try {
    source = check(file);
  } catch (error) {
    report('error', 'compile', file, error.message, { code: error.code ?? error.name });
    continue;
  }
  checked += 1;
  if (source === null) continue;
  if (kind(file) === 'typescript') typescript.push(file);
  else resolve(file, source);
}
if (deferred.length > 0) settle();
if (typescript.length > 0) typed(typescript);
send({ event: 'end', compiled: checked });
process.exitCode = errors > 0 ? 1 : 0;
