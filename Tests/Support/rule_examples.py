"""Runs every rule of rules/ on its own examples, through proctor; exit status 1 and the reasons when one is wrong.

usage: rule_examples.py PROCTOR

A rule must match each of its `matches` and none of its `not_matches`, have at least one of both, be named as its file,
and say its category and why it matters. Rules that only name imported modules are seen by denying the module.
"""

import glob
import json
import os
import subprocess
import sys
import tempfile

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ENDINGS = {"python": ["py"], "javascript": ["js", "ts", "tsx"], "rust": ["rs"], "swift": ["swift"]}
CATEGORIES = {
    "code_evaluation", "process", "file_access", "network", "reflection", "deserialization", "native_code",
    "environment", "infinite_loop", "obfuscation", "import", "parse",
}
# Modules that the examples of the rules for imports name.
MODULES = ["os", "a", "socket", "net", "fs", "std", "libc", "Foundation"]


def rules():
    for path in sorted(glob.glob(os.path.join(ROOT, "rules/*/*.yml"))):
        with open(path, encoding="utf-8") as file:
            yield path, yaml.safe_load(file)


def form(path, rule):
    """What is wrong with how a rule is written."""
    metadata = rule.get("metadata", {})
    language = os.path.basename(os.path.dirname(path))
    if rule["id"] + ".yml" != os.path.basename(path):
        yield "its id is not its file's name"
    if rule["language"] != language:
        yield "its language is not its folder's"
    if metadata.get("category") not in CATEGORIES:
        yield "it has no known category"
    if metadata.get("severity", "low") not in ("low", "medium", "high", "critical"):
        yield "it has no known severity"
    if "severity" not in metadata and metadata.get("category") not in ("import", "parse"):
        yield "it has no severity"
    for key in ("message", "note"):
        if not rule.get(key):
            yield f"it has no {key}"
    for key in ("matches", "not_matches"):
        if not metadata.get(key):
            yield f"it has no examples of {key}"


def run(proctor, folder):
    result = subprocess.run(
        [proctor, "validate", ".", "--format", "json", "--max-findings", "100000"],
        cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"proctor failed: {result.stdout}{result.stderr}")
    return json.loads(result.stdout)


def main():
    proctor, problems, wanted = os.path.abspath(sys.argv[1]), [], {}
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/proctor.toml", "w", encoding="utf-8") as file:
            file.write(f"[validation]\ndeny_modules = {json.dumps(MODULES)}\n")
        for path, rule in rules():
            problems += [f"{rule['id']}: {problem}" for problem in form(path, rule)]
            metadata = rule["metadata"]
            is_list = metadata["category"] == "import" and "severity" not in metadata
            for key in ("matches", "not_matches"):
                for number, text in enumerate(metadata.get(key, [])):
                    for ending in ENDINGS[rule["language"]]:
                        name = f"{rule['id']}_{key}_{number}.{ending}"
                        wanted[name] = (rule, key, text, is_list)
        for name, (_, _, text, is_list) in wanted.items():
            place = f"{folder}/{'lists' if is_list else 'rules'}"
            os.makedirs(place, exist_ok=True)
            with open(f"{place}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        # Denied modules are told instead of notable ones: each kind is judged in a workspace of its own.
        seen = answer(run(proctor, folder), "lists")
        os.remove(f"{folder}/proctor.toml")
        for name, found in answer(run(proctor, folder), "rules").items():
            seen.setdefault(name, set()).update(found)
    for name, (rule, key, text, is_list) in wanted.items():
        matched = ("denied-module" if is_list else rule["id"]) in seen.get(name, set())
        if matched != (key == "matches"):
            problems.append(f"{name}: {'matches' if matched else 'does not match'}:\n    {text!r}\n    {seen.get(name)}")
    print("\n".join(problems) or f"{len(wanted)} examples are as they should be")
    sys.exit(1 if problems else 0)


def answer(document, folder):
    """The rules that matched in each file of a folder."""
    if document.get("findings_omitted") or document.get("parse_errors_omitted"):
        sys.exit("not all findings are in the answer")
    seen = {}
    for finding in document["findings"]:
        place, name = os.path.split(finding["file"])
        if place == folder:
            seen.setdefault(name, set()).add(finding["rule"])
    for error in document.get("parse_errors", []):
        name = os.path.basename(error["file"])
        language = [key for key, ends in ENDINGS.items() if name.rpartition(".")[2] in ends][0]
        prefix = {"python": "py", "javascript": "js", "rust": "rs", "swift": "swift"}[language]
        seen.setdefault(name, set()).add(f"{prefix}-parse")
    return seen


main()
