"""Writes docs/lies.md from the expected.json of the catalogue."""

import json
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIES = os.path.join(ROOT, "fixtures/lies")

HEAD = """# The catalogue of lies
`fixtures/lies` holds {count} small real projects, each a way to look green without being it. The suite runs each of them and checks that
the answer is not green and says why. With the bare runner {green} of them are green (exit status 0).

| project | the lie | bare | proctor |
|---|---|---|---|
"""


def main():
    rows, green = [], 0
    for name in sorted(os.listdir(LIES)):
        with open(os.path.join(LIES, name, "expected.json"), encoding="utf-8") as file:
            expected = json.load(file)
        green += bool(expected["bare_is_green"])
        bare = "green" if expected["bare_is_green"] else "red"
        verdict = f"{expected['status']} ({expected['reason']})"
        rows.append(f"| {name} | {expected['lie']} | {bare} | {verdict} |\n")
    with open(os.path.join(ROOT, "docs/lies.md"), "w", encoding="utf-8") as file:
        file.write(HEAD.format(count=len(rows), green=green) + "".join(rows))


main()
