"""Validates a JSON document against a JSON Schema; exit status 1 and the reasons when it does not conform.

usage: validate.py DOCUMENT SCHEMA
"""

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
problems = list(jsonschema.Draft202012Validator(schema).iter_errors(document))
for problem in problems[:20]:
    print(f"{problem.json_path}: {problem.message}"[:500])
sys.exit(1 if problems else 0)
