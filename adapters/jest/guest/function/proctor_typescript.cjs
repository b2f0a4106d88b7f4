// TypeScript for a node that does not strip types, by the project's own transpiler: the first of TRANSPILERS that a
// file of the project would find. It is code of the workspace, as what it transpiles is.
//
// Each file is transpiled for itself when it is loaded, types are not checked. Lines of errors are those of the
// source: through node's source maps, or because the transpiler keeps lines.
"use strict";

const { existsSync, readFileSync } = require("node:fs");
const Module = require("node:module");
const { dirname, join } = require("node:path");
const { pathToFileURL } = require("node:url");

const TRANSPILERS = [["typescript", makeTypeScript], ["@babel/core", makeBabel]];
const MISSING = "this node (" + process.version + ") cannot run TypeScript by itself, and the project has no transpiler: " +
  "install one (npm install --save-dev typescript), or a node that strips types (22.18, 23.6 or newer)";
const ENDING = /\.([cm]?ts|tsx)$/;

/** A function (source, file, format) -> JavaScript for files beside this one, or null where there is no transpiler. */
function transpilerFor(file) {
  const projectRequire = Module.createRequire(file);
  for (const [name, make] of TRANSPILERS) {
    let path;
    try {
      path = projectRequire.resolve(name);
    } catch {
      continue;
    }
    const transpile = make(projectRequire(path), projectRequire);
    if (transpile !== null) return transpile;
  }
  return null;
}

/** Shown as node shows its own: the place in the first line of the stack. */
function syntaxError(message, file, line, column) {
  const error = new SyntaxError(message);
  error.stack = file + ":" + line + ":" + column + "\nSyntaxError: " + message;
  return error;
}

// ---------------------------------------------------------------- the transpilers

function makeTypeScript(ts) {
  const known = new Map(); // options by folder

  /** What the nearest tsconfig.json says of the code that is made. A broken one is none. */
  function optionsFor(folder) {
    if (known.has(folder)) return known.get(folder);
    const config = ts.findConfigFile(folder, ts.sys.fileExists);
    const read = config === undefined ? {} : ts.readConfigFile(config, ts.sys.readFile);
    const host = { ...ts.sys, readDirectory: () => [] };
    const options = read.config === undefined ? { esModuleInterop: true }
      : ts.parseJsonConfigFileContent(read.config, host, dirname(config)).options;
    const newest = ts.ScriptTarget.ES2022 ?? ts.ScriptTarget.ES2020;
    const target = Math.min(options.target ?? newest, newest);
    const useDefineForClassFields = options.useDefineForClassFields ?? options.target >= newest;
    const result = {
      ...options, target, useDefineForClassFields, importHelpers: false, removeComments: false, sourceMap: false,
      inlineSourceMap: true, inlineSources: false, sourceRoot: undefined, mapRoot: undefined, outFile: undefined, out: undefined,
      noEmitOnError: false, moduleResolution: undefined, moduleDetection: ts.ModuleDetectionKind?.Legacy, verbatimModuleSyntax: undefined,
      jsx: options.jsx === undefined || options.jsx === ts.JsxEmit.Preserve ? ts.JsxEmit.React : options.jsx,
    };
    known.set(folder, result);
    return result;
  }

  return (source, file, format) => {
    const module = format === "module" ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS;
    const { outputText, diagnostics } = ts.transpileModule(source, {
      fileName: file, reportDiagnostics: true, compilerOptions: { ...optionsFor(dirname(file)), module },
    });
    const wrong = diagnostics.find((one) => one.file !== undefined && one.category === ts.DiagnosticCategory.Error);
    if (wrong === undefined) return outputText;
    const place = wrong.file.getLineAndCharacterOfPosition(wrong.start);
    throw syntaxError(ts.flattenDiagnosticMessageText(wrong.messageText, "\n"), file, place.line + 1, place.character + 1);
  };
}

/** Only with its preset for TypeScript. The project's own settings are made for other programs than node. */
function makeBabel(babel, projectRequire) {
  let preset, commonjs;
  try {
    preset = projectRequire.resolve("@babel/preset-typescript");
    commonjs = Module.createRequire(preset).resolve("@babel/plugin-transform-modules-commonjs");
  } catch {
    return null;
  }
  return (source, file, format) => {
    const plugins = format === "module" ? [] : [commonjs];
    try {
      return babel.transformSync(source, {
        filename: file, babelrc: false, configFile: false, presets: [[preset, { allowDeclareFields: true }]], plugins,
        retainLines: true, sourceMaps: false, compact: false,
      }).code;
    } catch (error) {
      if (error.loc === undefined) throw error;
      const message = error.message.split("\n")[0].replace(file + ": ", "").replace(/ \(\d+:\d+\)$/, "");
      throw syntaxError(message, file, error.loc.line, error.loc.column + 1);
    }
  };
}

// ---------------------------------------------------------------- which kind of module, and which file

/** "module" or "commonjs": by the ending, else by the nearest package.json, as node does for JavaScript. */
function formatOf(file) {
  if (file.endsWith(".mts")) return "module";
  if (file.endsWith(".cts")) return "commonjs";
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    try {
      return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).type === "module" ? "module" : "commonjs";
    } catch {} // none here, or no JSON
    if (folder === dirname(folder)) return "commonjs";
  }
}

/** What a name that leads to no file may stand for: TypeScript names the file that is made, or leaves out the ending. */
function* alternatives(name) {
  const made = /\.([cm]?)js$/.exec(name);
  if (made !== null) {
    yield name.slice(0, made.index) + "." + made[1] + "ts";
    if (made[1] === "") yield name.slice(0, made.index) + ".tsx";
    return;
  }
  for (const ending of [".ts", ".tsx", ".mts", ".cts", "/index.ts", "/index.tsx"]) yield name + ending;
}

// ---------------------------------------------------------------- into node's loaders

function installForRequire(transpile) {
  for (const ending of [".ts", ".tsx", ".cts"]) {
    Module._extensions[ending] = (module, file) => {
      if (formatOf(file) === "module") {
        throw Object.assign(new Error("require() of the ES module " + file + ": use import"), { code: "ERR_REQUIRE_ESM" });
      }
      module._compile(transpile(readFileSync(file, "utf8"), file, "commonjs"), file);
    };
  }
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (name, parent, ...rest) {
    try {
      return resolve.call(this, name, parent, ...rest);
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND" || !/^\.{0,2}\//.test(name)) throw error;
      for (const other of alternatives(name)) {
        const path = join(parent?.filename ? dirname(parent.filename) : "/", other);
        if (existsSync(path)) return resolve.call(this, path, parent, ...rest);
      }
      throw error;
    }
  };
}

/** Makes node load TypeScript as the file's project would: the transpiler, or null where there is none. */
function install(file) {
  const transpile = transpilerFor(file);
  if (transpile === null) return null;
  process.setSourceMapsEnabled(true);
  installForRequire(transpile);
  Module.register(pathToFileURL(join(__dirname, "proctor_typescript_hooks.mjs")), { data: { file } });
  return transpile;
}

module.exports = { MISSING, ENDING, install, transpilerFor, formatOf, alternatives };
