// The part of proctor_typescript.cjs for ES modules. Node runs it in a thread of its own; the transpiler is loaded
// there when the first module needs it.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const { ENDING, transpilerFor, formatOf, alternatives } = createRequire(import.meta.url)("./proctor_typescript.cjs");
let entry;
let transpile = null;

export function initialize({ file }) {
  entry = file;
}

export async function resolve(name, context, next) {
  try {
    return await next(name, context);
  } catch (error) {
    const isMissing = error.code === "ERR_MODULE_NOT_FOUND" || error.code === "ERR_UNSUPPORTED_DIR_IMPORT";
    if (!isMissing || !/^(?:\.{0,2}\/|file:)/.test(name)) throw error;
    for (const other of alternatives(name)) {
      try {
        return await next(other, context);
      } catch {} // the first error tells what was asked for
    }
    throw error;
  }
}

const EXPORTED = /\bexports\.([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=|\bdefineProperty\(exports,\s*"([\p{ID_Start}$_][\p{ID_Continue}$]*)"/gu;

/** A module with what a file of CommonJS exports: node would look for the names in the TypeScript. */
function importOf(file, made) {
  const names = new Set(Array.from(made.matchAll(EXPORTED), (match) => match[1] ?? match[2]));
  names.delete("default");
  names.delete("__esModule");
  const parts = Array.from(names, (name, index) => `const v${index} = main.${name}; export { v${index} as ${name} };`);
  return 'import { createRequire } from "node:module"; const main = createRequire(import.meta.url)(' + JSON.stringify(file) +
    "); export default main; " + parts.join(" ");
}

export async function load(url, context, next) {
  if (!url.startsWith("file:") || !ENDING.test(new URL(url).pathname)) return next(url, context);
  const file = fileURLToPath(url);
  const format = formatOf(file);
  transpile ??= transpilerFor(entry);
  const made = transpile(await readFile(file, "utf8"), file, format);
  return { format: "module", source: format === "module" ? made : importOf(file, made), shortCircuit: true };
}
