"""Measures what proctor validate finds in fixtures/validation, and writes the tables of docs/validation.md.

usage: validation_score.py PROCTOR [--check] [--pieces HALF]

With --check nothing is written: exit status 1 when the page does not hold what the program gives, or a figure of the
held-out half is below its floor. With --pieces each piece of a half that is not as its label says is printed.
"""

import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PIECES = os.path.join(ROOT, "fixtures/validation")
PAGE = os.path.join(ROOT, "docs/validation.md")
BEGIN, END = "<!-- score: written by Tests/Support/validation_score.py -->\n", "<!-- end of score -->\n"
LANGUAGES = ["python", "javascript", "rust", "swift"]
HALVES = ["tuned", "held_out"]
CATEGORIES = [
    "code_evaluation", "process", "file_access", "network", "reflection", "deserialization", "native_code",
    "environment", "infinite_loop", "obfuscation",
]
# Of all pieces of a half together.
FLOORS = {"tuned": (0.95, 0.95), "held_out": (0.9, 0.9)}


class Count:
    """Right, surplus and missing findings."""

    def __init__(self):
        self.right = self.surplus = self.missing = 0

    def add(self, wanted, found):
        self.right += len(wanted & found)
        self.surplus += len(found - wanted)
        self.missing += len(wanted - found)

    def precision(self):
        return self.right / (self.right + self.surplus) if self.right + self.surplus else None

    def recall(self):
        return self.right / (self.right + self.missing) if self.right + self.missing else None

    def cells(self):
        def text(share):
            return "" if share is None else f"{share:.2f}"
        return f"{text(self.precision())} | {text(self.recall())}"


def labels():
    for language in LANGUAGES:
        with open(os.path.join(PIECES, language, "labels.json"), encoding="utf-8") as file:
            for name, label in json.load(file).items():
                yield f"{language}/{name}", language, label["half"], set(label["categories"])


def judged(proctor):
    result = subprocess.run(
        [proctor, "validate", ".", "--format", "json", "--max-findings", "100000"],
        cwd=PIECES, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"proctor failed: {result.stdout}{result.stderr}")
    document = json.loads(result.stdout)
    for key in ("findings_omitted", "not_examined"):
        if document.get(key):
            sys.exit(f"not everything was judged: {key}")
    found = {}
    for finding in document["findings"]:
        if finding["category"] != "import":
            found.setdefault(finding["file"], set()).add(finding["category"])
    return found


def table(counts, keys, head):
    lines = [f"| {head} | tuned: precision | recall | held out: precision | recall |\n", "|---|---|---|---|---|\n"]
    for key in keys:
        cells = " | ".join(counts[half, key].cells() for half in HALVES)
        lines.append(f"| {key} | {cells} |\n")
    return "".join(lines)


def main():
    proctor = os.path.abspath(sys.argv[1])
    found = judged(proctor)
    keys = ["all"] + LANGUAGES + CATEGORIES
    counts = {(half, key): Count() for half in HALVES for key in keys}
    flagged = {half: [0, 0, 0, 0] for half in HALVES}
    known = set()
    for name, language, half, wanted in labels():
        known.add(name)
        seen = found.get(name, set())
        if "--pieces" in sys.argv and sys.argv[-1] == half and seen != wanted:
            print(f"{name}: missing {sorted(wanted - seen)}, surplus {sorted(seen - wanted)}")
        for key in ("all", language):
            counts[half, key].add(wanted, seen)
        for category in CATEGORIES:
            counts[half, category].add(wanted & {category}, seen & {category})
        number = flagged[half]
        number[0 if wanted else 2] += 1
        number[1 if wanted else 3] += bool(seen)
    if surplus := {name for name in found if name not in known}:
        sys.exit(f"these pieces have no label: {sorted(surplus)}")
    text = pieces(flagged) + table(counts, ["all"] + LANGUAGES, "language") + "\n" + table(counts, CATEGORIES, "category")
    finish(text, counts)


def pieces(flagged):
    lines = ["| half | pieces with something to find | of them with a finding | harmless pieces | of them with a finding |\n",
             "|---|---|---|---|---|\n"]
    for half in HALVES:
        lines.append(f"| {half.replace('_', ' ')} | {' | '.join(map(str, flagged[half]))} |\n")
    return "".join(lines) + "\n"


def finish(text, counts):
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = before + BEGIN + text + END + after
    if "--check" not in sys.argv:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(wanted)
        print(text)
        return
    problems = [] if page == wanted else ["docs/validation.md does not hold what the program gives"]
    for half, (precision, recall) in FLOORS.items():
        count = counts[half, "all"]
        if count.precision() < precision or count.recall() < recall:
            problems.append(f"{half}: {count.cells()} is below {precision} | {recall}")
    print("\n".join(problems) or "as published")
    sys.exit(1 if problems else 0)


main()
