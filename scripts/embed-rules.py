#!/usr/bin/env python3
"""Puts the rules of rules/<language>/*.yml into Sources/ProctorEngine/ValidationRules.swift.

usage: embed-rules.py [--check]     with --check nothing is written: exit status 1 when the file is not what it would be

The examples at the end of each rule, from `  matches:` on, are for tests and stay out of the program.
"""

import glob
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.path.join(ROOT, "Sources/ProctorEngine/ValidationRules.swift")
LANGUAGES = ["python", "javascript", "rust", "swift"]


def rule(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return text.partition("\n  matches:")[0].rstrip() + "\n"


def document(language):
    paths = sorted(glob.glob(os.path.join(ROOT, "rules", language, "*.yml")))
    text = "---\n".join(rule(path) for path in paths)
    if '"""##' in text:
        sys.exit(f"embed-rules: a rule of {language} holds the end of a raw string")
    return text


def main():
    parts = ["/// The rules below `rules`, written by scripts/embed-rules.py: edit them there.\n", "enum ValidationRules {\n"]
    for language in LANGUAGES:
        # Blanks before the closing quotes would belong to every line.
        parts.append(f'static let {language} = ##"""\n{document(language)}"""##\n')
    wanted = "// swift-format-ignore-file\n" + "".join(parts) + "}\n"
    if "--check" not in sys.argv:
        with open(TARGET, "w", encoding="utf-8") as file:
            file.write(wanted)
        return
    with open(TARGET, encoding="utf-8") as file:
        if file.read() != wanted:
            sys.exit("embed-rules: ValidationRules.swift is not made of rules/: run scripts/embed-rules.py")


main()
