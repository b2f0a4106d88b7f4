"""The page that `proctor report --html` writes, seen in a browser without a window.

usage: PROCTOR=path/of/proctor page.py [TestCase...]
"""

import concurrent.futures
import http.server
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

import jsonschema
from playwright.sync_api import sync_playwright
from service import CONFIRMS, Service

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROCTOR = os.environ["PROCTOR"]
BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
VIEWS = ["tests", "problems", "timeline", "slowest", "flaky", "resources", "trends"]
TESTS = """\
import pathlib
import time
import pytest

def twice(x):
    return 2 * x

def test_ok():
    time.sleep(0.15)
    assert twice(1) == 2

def test_wrong():
    print("said before it failed")
    assert twice(2) == 5  # here

@pytest.mark.skip(reason="later")
def test_later(): pass

def test_by_chance():
    assert pathlib.Path(".cache/coin").read_text() == "heads"
"""
HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror=window.hacked=1>\u202egnp.exe\u0007\u2028\n]]>"


def run(*arguments, cwd=None, status=None, **environment):
    done = subprocess.run(
        [PROCTOR, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment}, stdin=subprocess.DEVNULL
    )
    if status is not None and done.returncode != status:
        raise AssertionError(f"proctor {arguments}: {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}")
    return done


def test_row(name, index, outcome="passed", **more):
    file = f"tests/test_{index // 50}.py"
    return {
        "id": f"pytest:.:{file}::{name}", "name": name, "full_name": f"{file}::{name}", "adapter": "pytest", "suite": file, "file": file,
        "definition_line": index % 50 + 1, "outcome": outcome, "raw_status": outcome, "duration_ms": index % 37, "started_ms": index * 2,
        "worker": f"gw{index % 4}", "attempts": 1, **more,
    }


def failure_of(row, error, **more):
    rest = {key: value for key, value in row.items() if key not in ("name", "note")}
    return {**rest, "test": row["name"], "line": 3, "error": error, **more}


def report_of(tests, failures=(), **more):
    count = lambda outcome: sum(test["outcome"] == outcome for test in tests)
    return {
        "status": "partial_failure" if failures else "passed", **({"reason": "tests_failed", "message": "Some tests failed."} if failures else {}),
        "total_tests": len(tests), "passed": count("passed"), "failed": count("failed"), "skipped": count("skipped"), "execution_time_ms": 1234.5,
        "started_at": "2026-01-02T03:04:05.678Z", "failures": list(failures), "tests": tests,
        "adapters": [{
            "adapter": "pytest", "root": ".", "evidence": "x", "total_tests": len(tests), "passed": 1, "failed": 0, "skipped": 0, "execution_time_ms": 1000,
            "commands": [{"purpose": "run", "argv": ["pytest"], "exit_code": 1, "duration_ms": 1000, "started_ms": 20, "samples": [
                {"elapsed_ms": 100 * n, "cpu_percent": 50 + n, "memory_mb": 30 + n} for n in range(1, 10)]}],
        }], **more,
    }


class Case(unittest.TestCase):
    """A test with a folder, a cache and a browser."""

    @classmethod
    def setUpClass(cls):
        browser = next(filter(None, map(shutil.which, BROWSERS)))
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"] if os.getuid() == 0 else [])
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="proctor-page-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()
        self.cache = self.folder / "cache"
        self.workspace = self.folder / "workspace"
        self.workspace.mkdir()

    def proctor(self, *arguments, status=0, **environment):
        return run(*arguments, cwd=self.workspace, status=status, **{"PROCTOR_CACHE_DIR": str(self.cache), **environment})

    def page_of(self, *reports, name="page.html"):
        """The path of the page of some reports."""
        files = []
        for index, report in enumerate(reports):
            files.append(self.folder / f"report-{index}.json")
            files[-1].write_text(report if isinstance(report, str) else json.dumps(report))
        path = self.folder / name
        self.proctor("report", "--html", path, *files)
        return path

    def open(self, address, width=1280, height=860, scheme="light", fails=()):
        """A tab in which nothing may go wrong and nothing may be asked for but what `fails` and the page itself name."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.addCleanup(context.close)
        tab = context.new_page()
        wrong = []
        tab.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        tab.on("console", lambda message: wrong.append(f"console: {message.text}") if message.type in ("error", "warning") else None)
        tab.on("dialog", lambda dialog: (wrong.append("a dialog"), dialog.dismiss()))
        if isinstance(address, pathlib.Path):
            address = address.as_uri()
            tab.on("request", lambda request: wrong.append(f"request: {request.url}") if request.url != address else None)
        self.addCleanup(lambda: self.assertEqual([text for text in wrong if not any(part in text for part in fails)], []))
        tab.goto(address)
        tab.wait_for_selector("#tabs button")
        return tab

    def rows(self, tab):
        return tab.locator(".row .name").all_inner_texts()

    def chosen(self, tab):
        return tab.inner_text(".row[aria-selected=true] .name")


class Runs(Case):
    """Pages of runs of a real runner."""

    def setUp(self):
        super().setUp()
        (self.workspace / "test_it.py").write_text(TESTS)
        (self.workspace / ".cache").mkdir()

    def toss(self, side, *arguments, status=1):
        (self.workspace / ".cache/coin").write_text(side)
        return self.proctor("run", *arguments, status=status)

    def test_last_runs(self):
        self.toss("heads")
        self.toss("tails")
        path = self.folder / "page.html"
        self.assertIn("2 runs", self.proctor("report", "--html", path).stdout)
        schema = json.loads((REPOSITORY / "docs/schema/report.schema.json").read_text())
        answer = json.loads(self.proctor("report", "--html", path, "--format", "json").stdout)
        jsonschema.validate(answer, schema)
        self.assertEqual([answer["runs"], answer["bytes"]], [2, path.stat().st_size])
        answer = json.loads(self.proctor("report", "--html", path, "none.json", "--format", "json", status=2).stdout)
        jsonschema.validate(answer, schema)
        self.assertIn("none.json", answer["message"])
        tab = self.open(path)
        self.assertEqual(tab.inner_text(".badge"), "failed")
        self.assertEqual(self.rows(tab), ["test_wrong", "test_by_chance", "test_ok", "test_later"])
        # The failing line, as it stands in the file.
        tab.click("text=test_wrong")
        line = tab.locator("#detail .code li[aria-current=true]").first
        number = next(n for n, text in enumerate(TESTS.split("\n"), 1) if "# here" in text)
        self.assertEqual(line.inner_text().split(None, 1), [str(number), "assert twice(2) == 5  # here"])
        self.assertIn("said before it failed", tab.inner_text("#detail"))
        self.assertIn("assert 4 == 5", tab.inner_text("#detail pre.error"))
        # Both outcomes on one code.
        tab.click("#tab-flaky")
        self.assertIn("test_by_chance", tab.inner_text("#view"))
        self.assertIn("no file of the workspace changed", tab.inner_text("#view"))
        tab.click("#tab-timeline")
        self.assertIn("pytest: commands", tab.inner_text("#view"))
        self.assertIn("test_ok", tab.inner_text("#view table"))
        tab.click("#tab-slowest")
        self.assertIn("test_ok", tab.inner_text("#view tbody tr:first-child"))
        tab.click("#tab-resources")
        self.assertIn("pytest", tab.inner_text("#view table"))
        # The older run, in which that test passed.
        tab.click("#tab-trends")
        self.assertEqual(tab.locator("#view tbody tr").count(), 2)
        tab.click("#view tbody tr:last-child button")
        tab.click("#tab-tests")
        self.assertEqual(self.rows(tab)[0], "test_wrong")
        self.assertIn("passed", tab.get_attribute(".row:has-text('test_by_chance')", "aria-label"))

    def test_reruns_and_quarantine(self):
        (self.workspace / "proctor-quarantine.toml").write_text(
            '[[quarantine]]\ntest = "pytest:.:test_it.py::test_wrong"\nowner = "team <b>"\nreason = "a new clock"\nexpires = 2999-01-31\n')
        (self.workspace / "test_it.py").write_text(
            TESTS + """
import pathlib
def test_second_time_lucky():
    mark = pathlib.Path(__file__).with_name("mark")
    seen = mark.exists()
    mark.write_text("")
    assert seen
""")
        self.toss("heads", "--retries", "1", status=0)
        self.proctor("report", "--html", self.folder / "page.html")
        tab = self.open(self.folder / "page.html")
        self.assertIn("skipped, quarantined", tab.get_attribute(".row:has-text('test_wrong')", "aria-label"))
        tab.click(".row:has-text('test_wrong')")
        shown = tab.inner_text("#detail")
        for words in ["failed, and does not count until 2999-01-31: a new clock (team <b>)", "assert 4 == 5"]:
            self.assertIn(words, shown)
        self.assertNotIn("the runner says", shown)
        tab.click("#tab-flaky")
        self.assertIn("test_second_time_lucky", tab.inner_text("#view"))
        self.assertIn("attempts of this one run", tab.inner_text("#view"))

    def test_changed_code(self):
        self.toss("heads")
        (self.workspace / "test_it.py").write_text("# new\n" + TESTS)
        self.toss("tails")
        self.proctor("report", "--html", self.folder / "page.html")
        tab = self.open(self.folder / "page.html")
        tab.click("#tab-flaky")
        self.assertIn("No test looks flaky", tab.inner_text("#view"))

    def test_reports_as_files(self):
        files = []
        for side in ["heads", "tails"]:
            files.append(self.folder / f"{side}.json")
            files[-1].write_text(self.toss(side, "--format", "json", "--details").stdout)
        schema = json.loads((REPOSITORY / "docs/schema/run_all_tests.schema.json").read_text())
        report = json.loads(files[0].read_text())
        jsonschema.validate(report, schema)
        ran = {test["name"]: test for test in report["tests"]}
        self.assertGreater(ran["test_ok"]["started_ms"], 0)
        self.assertGreaterEqual(ran["test_wrong"]["started_ms"], ran["test_ok"]["started_ms"] + 100)
        (self.workspace / "test_it.py").write_text(TESTS + "\n# edited later\n")
        path = self.folder / "page.html"
        # In whatever order they are given.
        self.proctor("report", "--html", path, *reversed(files))
        tab = self.open(path)
        self.assertIn("test_by_chance", self.rows(tab)[:2])
        tab.click("text=test_wrong")
        self.assertIn("was changed after the run", tab.inner_text("#detail"))
        kept = list((self.cache / "reports").glob("*/*.jsonl"))
        self.assertEqual(len(kept), 2)
        for file in kept:
            row, outcomes, whole = file.read_text().splitlines()
            jsonschema.validate(json.loads(whole), schema)
            self.assertEqual(json.loads(row)["run"], file.stem)
            self.assertEqual(len(json.loads(outcomes)["ids"]), 4)
            self.assertEqual(file.stat().st_mode & 0o077, 0)

    def test_only_failures(self):
        file = self.folder / "short.json"
        file.write_text(self.toss("tails", "--format", "json").stdout)
        self.proctor("report", "--html", self.folder / "page.html", file)
        tab = self.open(self.folder / "page.html")
        self.assertEqual(len(self.rows(tab)), 2)
        self.assertIn("--details", tab.inner_text("#note"))

    def test_code_that_is_elsewhere(self):
        secret = self.folder / "secret.py"
        secret.write_text("\n".join(["SECRET"] * 20))
        (self.workspace / "link.py").symlink_to(secret)
        (self.workspace / "inside.py").symlink_to("test_it.py")
        rows = [test_row(f"test_{n}", n, "failed") for n in range(5)]
        places = ["link.py", "../secret.py", str(secret), "test_it.py/../../secret.py", "inside.py"]
        failures = [failure_of(row, "no", file=place) for row, place in zip(rows, places)]
        page = self.page_of(report_of(rows, failures)).read_text()
        self.assertNotIn('"SECRET"', page)
        self.assertIn("import pytest", page)

    def test_workers(self):
        self.toss("heads", "--format", "json")
        (self.workspace / "pytest.ini").write_text("[pytest]\naddopts = -n 2\n")
        answer = json.loads(self.toss("heads", "--format", "json", "--details").stdout)
        self.assertTrue({test["worker"] for test in answer["tests"]} <= {"gw0", "gw1"})
        self.assertTrue(all("worker" in test for test in answer["tests"]))

    def test_archive(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda _: self.toss("heads"), range(3)))
        [folder] = (self.cache / "reports").iterdir()
        self.assertEqual(len(list(folder.iterdir())), 3)
        for name, content in [("20200101-000000-000-aaaaaaaa", "{"), ("20200101-000000-000-bbbbbbbb", ""), ("20990101-000000-000-cccccccc", "1\n2\n3\n")]:
            (folder / f"{name}.jsonl").write_text(content)
        done = self.proctor("report", "--html", self.folder / "page.html")
        self.assertIn("3 runs", done.stdout)
        self.assertEqual(done.stderr.count("cannot be read"), 3)
        for number in range(60):
            (folder / f"20200101-000000-000-{number:08}.jsonl").write_text("")
        self.toss("heads")
        self.assertEqual(len(list(folder.iterdir())), 50)
        # A cache in which nothing can be kept takes nothing from the verdict.
        shutil.rmtree(folder)
        folder.write_text("")
        done = self.toss("heads")
        self.assertIn("3 passed" if "3 passed" in done.stdout else "passed", done.stdout)
        self.assertIn("not kept", done.stderr)
        done = self.proctor("report", "--html", self.folder / "none.html", status=2)
        self.assertIn("no run of", done.stderr)
        self.assertFalse((self.folder / "none.html").exists())


class BadInput(Case):
    def refused(self, content, *words):
        file = self.folder / "report.json"
        file.write_bytes(content)
        done = self.proctor("report", "--html", self.folder / "page.html", file, status=2)
        for word in ["report.json", *words]:
            self.assertIn(word, done.stderr)
        self.assertFalse((self.folder / "page.html").exists())

    def test_files(self):
        good = json.dumps(report_of([test_row("test_a", 1)])).encode()
        self.refused(b"", "empty")
        self.refused(b"\xff\xfe\x00", "not JSON")
        self.refused(b"hello", "not JSON")
        self.refused(good[: len(good) // 2], "not JSON, or only a part")
        self.refused(b"[]", "no answer of proctor run")
        self.refused(b"{}", "lacks")
        self.refused(b"[" * 100_000)
        self.refused(good.replace(b'"total_tests": 1', b'"total_tests": "1"', 1), "total_tests")
        self.refused(good.replace(b'"outcome": "passed"', b'"outcome": "wonderful"'), "does not know")
        self.refused(json.dumps({"status": "passed", "tests_run": 1}).encode(), "proctor test")

    def test_places(self):
        big = self.folder / "big.json"
        with big.open("wb") as file:
            file.truncate(1 << 30)
        page = self.folder / "page.html"
        for file, word in [(big, "larger than 200 MB"), (self.folder / "none.json", "No such file"), (self.folder, "folder")]:
            self.assertIn(word, self.proctor("report", "--html", page, file, status=2).stderr)
        good = self.folder / "good.json"
        good.write_text(json.dumps(report_of([test_row("test_a", 1)])))
        self.assertIn("replaced", self.proctor("report", "--html", self.folder, good, status=2).stderr)
        self.proctor("report", "--html", self.folder / "made/for/it.html", good)
        self.assertTrue((self.folder / "made/for/it.html").is_file())
        self.proctor("report", "--html", self.folder / "good.json/page.html", good, status=5)
        self.proctor("report", good, status=2)
        self.assertFalse(page.exists())
        self.proctor("report", "--html", page, good)
        self.assertTrue(self.proctor("report", "--html", "-", good).stdout.startswith("<!doctype html>"))
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith(".")], [])

    def test_hostile_names(self):
        rows = [test_row(HOSTILE, 1, "failed", suite=HOSTILE, raw_status=HOSTILE, worker=HOSTILE), test_row("test_ok", 2, note=HOSTILE)]
        failure = failure_of(
            rows[0], HOSTILE, file=HOSTILE, stdout=HOSTILE + "\u001b[31mred\u001b[0m", stderr=HOSTILE, frames=[{"function": HOSTILE, "file": HOSTILE, "line": 3}] * 2,
            more_failures=[{"error": HOSTILE}], attempts=2, attempt_details=[{"outcome": "passed", "raw_status": HOSTILE, "error": HOSTILE}] * 2,
        )
        sources = [{"file": HOSTILE, "first_line": 1, "lines": [HOSTILE] * 5}]
        report = report_of(rows, [failure], sources=sources, errors=[{"stage": "build", "message": HOSTILE, "file": HOSTILE, "line": 2}], missing=[HOSTILE])
        report |= {"message": HOSTILE, "selection": HOSTILE, "run": HOSTILE, "notes": [HOSTILE, "a file was skipped as a whole"]}
        report["adapters"][0]["output"] = report["adapters"][0]["root"] = HOSTILE
        path = self.page_of(report)
        text = path.read_text()
        self.assertEqual(text.count("</script"), 2)
        self.assertNotIn("\u2028", text)
        tab = self.open(path)
        for view in VIEWS:
            tab.click(f"#tab-{view}")
            self.assertEqual(tab.locator("#view img, #view script, #summary img, #summary script").count(), 0)
        self.assertIn("a file was skipped as a whole", tab.inner_text("#summary"))
        tab.click("#tab-tests")
        self.assertIsNone(tab.evaluate("window.hacked ?? null"))
        shown = tab.inner_text("#detail h3")
        self.assertIn("</script><script>", shown)
        self.assertIn("\\u202e", shown)
        self.assertIn("\\u0007", shown)
        self.assertNotIn("\u202e", tab.evaluate("document.body.innerText"))
        self.assertIn("red", tab.inner_text("#detail"))
        self.assertNotIn("\\u001b", tab.inner_text("#detail"))

    def test_nothing_outside(self):
        text = self.page_of(report_of([test_row("test_a", 1)])).read_text()
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
        self.assertIn("default-src 'none'", policy)
        self.assertIn("connect-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text), [])
        again = self.page_of(report_of([test_row("test_a", 1)])).read_text()
        self.assertNotEqual(re.search(r"nonce-(\w+)", text)[1], re.search(r"nonce-(\w+)", again)[1])


class Use(Case):
    """What people do with a page."""

    def setUp(self):
        super().setUp()
        rows = [test_row(f"test_{name}", n, outcome) for n, (name, outcome) in enumerate(
            [("apple", "passed"), ("pear", "failed"), ("plum", "skipped"), ("fig", "failed"), ("quince", "passed")] + [(f"n{n}", "passed") for n in range(60)])]
        rows[0] |= {"attempts": 2, "attempt_details": [
            {"outcome": "failed", "raw_status": "failed", "error": "first"}, {"outcome": "passed", "raw_status": "passed"}]}
        failures = [failure_of(row, f"AssertionError: {row['name']} is ripe") for row in rows if row["outcome"] == "failed"]
        (self.workspace / "tests").mkdir()
        (self.workspace / "tests/test_0.py").write_text("\n".join(f"line {n}" for n in range(1, 30)))
        before = report_of([test_row("test_pear", 1), *rows[2:]], [failures[1]], started_at="2026-01-01T00:00:00.000Z")
        errors = [{"stage": "collection", "adapter": "pytest", "file": "tests/test_0.py", "line": 5, "message": "SyntaxError: no"}]
        self.path = self.page_of(before, report_of(rows, failures, errors=errors, missing=["pytest:.:lost"]))

    def test_keys(self):
        tab = self.open(self.path)
        press = tab.keyboard.press
        self.assertEqual(self.chosen(tab), "test_pear")
        press("j")
        self.assertEqual(self.chosen(tab), "test_fig")
        press("ArrowDown")
        self.assertEqual(self.chosen(tab), "test_apple")
        press("k")
        press("ArrowUp")
        self.assertEqual(self.chosen(tab), "test_pear")
        press("n")
        self.assertEqual(self.chosen(tab), "test_fig")
        press("p")
        self.assertEqual(self.chosen(tab), "test_pear")
        press("End")
        self.assertEqual(self.chosen(tab), "test_n59")
        self.assertTrue(tab.locator(".row[aria-selected=true]").is_visible())
        press("Home")
        press("/")
        tab.keyboard.type("fig ripe")
        self.assertEqual(self.rows(tab), ["test_fig"])
        self.assertEqual(tab.inner_text("#count"), "1 of 65 tests")
        press("Escape")
        self.assertEqual(tab.input_value("#search"), "")
        self.assertGreater(len(self.rows(tab)), 10)
        press("Escape")
        self.assertEqual(tab.evaluate("document.activeElement.id"), "list")
        self.assertEqual(tab.get_attribute("#list", "aria-activedescendant"), tab.get_attribute(".row[aria-selected=true]", "id"))
        press("Enter")
        self.assertEqual(tab.evaluate("document.activeElement.id"), "detail")
        press("3")
        self.assertEqual(tab.get_attribute("#tab-timeline", "aria-selected"), "true")
        tab.focus("#tab-timeline")
        press("ArrowRight")
        self.assertEqual(tab.evaluate("document.activeElement.id"), "tab-slowest")
        press("?")
        self.assertTrue(tab.locator("#help").is_visible())
        press("Escape")
        self.assertFalse(tab.locator("#help").is_visible())

    def test_search(self):
        tab = self.open(self.path)
        tab.fill("#search", "test_ -test_n")
        self.assertEqual(sorted(self.rows(tab)), ["test_apple", "test_fig", "test_pear", "test_plum", "test_quince"])
        tab.click("[data-kind=skipped]")
        self.assertEqual(self.rows(tab), ["test_plum"])
        tab.click("[data-kind=flaky]")
        self.assertEqual(self.rows(tab), ["test_apple"])
        self.assertIn("attempts of this one run", tab.inner_text("#detail"))
        tab.click("[data-kind=all]")
        tab.fill("#search", "no such test")
        self.assertIn("No test matches", tab.inner_text("#list"))
        self.assertIn("Choose a test", tab.inner_text("#detail"))
        tab.fill("#search", "")
        tab.select_option("[aria-label=Order]", "name")
        self.assertEqual(self.rows(tab)[0], "test_apple")

    def test_links(self):
        tab = self.open(self.path)
        tab.click("#tab-slowest")
        name = tab.inner_text("#view tbody tr:nth-child(3) .link")
        tab.click("#view tbody tr:nth-child(3) .link")
        self.assertTrue(name.endswith(tab.inner_text("#detail h3")))
        tab.click("#tab-problems")
        self.assertIn("SyntaxError", tab.inner_text("#view"))
        self.assertEqual(tab.inner_text("#view .code li[aria-current=true]").split(None, 1), ["5", "line 5"])
        self.assertIn("pytest:.:lost", tab.inner_text("#view"))
        tab.click("#tab-timeline")
        box = tab.locator("canvas").bounding_box()
        tab.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 24)
        self.assertIn("run", tab.inner_text(".under"))
        tab.click("[aria-label='Zoom in']")
        self.assertGreater(tab.evaluate("document.querySelector('.lanes').scrollWidth"), box["width"] * 1.9)
        self.assertIn("pytest: worker gw3", tab.inner_text("#view table"))

    def test_phone(self):
        tab = self.open(self.path, width=360, height=740)
        for view in VIEWS:
            tab.click(f"#tab-{view}")
            self.assertLessEqual(tab.evaluate("document.documentElement.scrollWidth"), 360, view)
        tab.click("#tab-tests")
        self.assertFalse(tab.locator("#detail").is_visible())
        tab.click(".row >> nth=0")
        self.assertTrue(tab.locator("#detail .code").first.is_visible())
        self.assertLessEqual(tab.evaluate("document.getElementById('detail').scrollWidth"), 360)
        tab.click("text=Back to the list")
        self.assertFalse(tab.locator("#detail").is_visible())
        heights = tab.evaluate("[...document.querySelectorAll('.row')].map(row => row.clientHeight)")
        self.assertGreaterEqual(min(heights), 40)

    def test_colours(self):
        backs = set()
        for scheme in ["light", "dark"]:
            tab = self.open(self.path, scheme=scheme)
            backs.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
            for view in VIEWS:
                tab.click(f"#tab-{view}")
                self.assertEqual(tab.evaluate(CONTRASTS), [], f"{scheme} {view}")
        self.assertEqual(len(backs), 2)

    def test_names(self):
        tab = self.open(self.path)
        for role in ["banner", "main", "navigation", "contentinfo"]:
            self.assertEqual(tab.get_by_role(role).count(), 1, role)
        self.assertEqual(tab.get_attribute("html", "lang"), "en")
        for view in VIEWS:
            tab.click(f"#tab-{view}")
            self.assertEqual(tab.evaluate(NAMELESS), [], view)
        tab.click("#tab-tests")
        self.assertEqual(tab.get_attribute(".row >> nth=0", "aria-setsize"), "65")
        self.assertEqual(tab.get_by_role("option", name="test_pear, failed").count(), 1)
        self.assertEqual(tab.get_by_role("searchbox", name="Search tests").count(), 1)

    def test_twenty_thousand(self):
        rows = [test_row(f"test_case_{n}[{n % 7}]", n, "failed" if n % 500 == 3 else "passed") for n in range(20_000)]
        report = report_of(rows, [failure_of(row, "AssertionError: no") for row in rows if row["outcome"] == "failed"])
        tab = self.open(self.page_of(report, name="big.html"))
        self.assertEqual(tab.inner_text("#count"), "20,000 of 20,000 tests")
        for query, found in [("test_case_1999", "11 of 20,000 tests"), ("case_7 [3]", None), ("", "20,000 of 20,000 tests")]:
            tab.fill("#search", query)
            self.assertEqual(tab.inner_text("#count"), found or tab.inner_text("#count"))
        tab.keyboard.press("Escape")
        tab.keyboard.press("End")
        self.assertEqual(self.chosen(tab), "test_case_19999[0]")
        # Only what can be seen is there.
        self.assertLess(tab.locator(".row").count(), 100)
        for view in VIEWS:
            tab.click(f"#tab-{view}")
            self.assertLess(tab.evaluate("document.querySelectorAll('*').length"), 5000, view)


class Live(Case):
    """A run that goes on, at a server that speaks what proctor serve speaks."""

    def setUp(self):
        super().setUp()
        page = self.page_of(report_of([test_row("test_a", 1)])).read_text()
        # What a server gives: no data, and leave to ask it.
        page = re.sub(r'(<script type="application/json" id="data">).*?(</script>)', r"\1null\2", page, flags=re.S)
        self.page = page.replace("connect-src 'none'", "connect-src 'self'").encode()
        self.events, self.runs, self.asked = queue.Queue(), [], []
        self.reports = {}
        case = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments): pass

            def answer(self, body, kind="application/json", status=200):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                case.asked.append(self.path)
                if self.path == "/":
                    return self.answer(case.page, "text/html; charset=utf-8")
                if self.headers.get("Authorization") != "Bearer s3cret":
                    return self.answer(b"{}", status=401)
                if self.path == "/confirmations":
                    return self.answer(b'{"confirmations": []}')
                if self.path == "/runs":
                    return self.answer(json.dumps({"runs": case.runs}).encode())
                if self.path == "/runs/run-1/events":
                    return self.stream()
                report = case.reports.get(self.path.split("/")[-1])
                self.answer(json.dumps(report or {}).encode(), status=200 if report else 404)

            def stream(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                while (event := case.events.get()) is not None:
                    # Cut anywhere: lines come as the network likes.
                    for piece in re.findall(rb"(?s).{1,7}", event):
                        self.wfile.write(piece)
                        self.wfile.flush()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(lambda: self.events.put(None))
        self.address = f"http://127.0.0.1:{self.server.server_port}/"

    def send(self, name, data):
        self.events.put(f": comment\n\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode())

    def row(self, run, status, **more):
        return {"run": run, "operation": "run_all_tests", "status": status, "started_at": "2026-01-02T03:04:05.000Z", "execution_time_ms": 10, "total_tests": 0, "passed": 0, "failed": 0, "skipped": 0, **more}

    def test_run(self):
        self.runs = [self.row("run-1", "running")]
        tab = self.open(self.address + "#token=s3cret")
        tab.wait_for_selector(".badge.running")
        self.send("test", {"id": "pytest:.:t.py::test_a", "test": "test_a", "file": "t.py", "outcome": "passed", "duration_ms": 3})
        self.send("test", [
            {"id": f"pytest:.:t.py::test_{name}", "test": f"test_{name}", "file": "t.py", "outcome": outcome, "duration_ms": 5}
            for name, outcome in [("b", "failed"), ("c", "skipped")]])
        self.send("progress", {"done": 3, "total": 4, "passed": 1, "failed": 1, "skipped": 1, "doing": "running test_d", "execution_time_ms": 900})
        tab.wait_for_selector("text=running test_d")
        tab.wait_for_selector(".row >> nth=2")
        self.assertEqual(self.rows(tab), ["test_b", "test_a", "test_c"])
        self.assertEqual(tab.get_attribute("[role=progressbar]", "aria-valuenow"), "3")
        self.assertIn("when the run is over", tab.inner_text("#detail"))
        # What is being typed and looked at stays while events come.
        tab.fill("#search", "test_b")
        self.send("test", {"id": "pytest:.:t.py::test_bb", "test": "test_bb", "file": "t.py", "outcome": "passed", "duration_ms": 3})
        tab.wait_for_selector(".row >> nth=1")
        self.assertEqual(tab.input_value("#search"), "test_b")
        self.assertEqual(tab.evaluate("document.activeElement.id"), "search")
        rows = [test_row("test_b", 1, "failed"), test_row("test_a", 2)]
        self.reports["run-1"] = {**report_of(rows, [failure_of(rows[0], "AssertionError: no")]), "run": "run-1"}
        self.runs = [self.row("run-1", "partial_failure", failed=1, passed=1, total_tests=2)]
        self.send("end", {"run": "run-1", "status": "partial_failure"})
        self.events.put(None)
        tab.wait_for_selector(".badge.partial_failure")
        self.assertEqual(tab.evaluate("[document.activeElement.id, document.activeElement.selectionStart]"), ["search", 6])
        tab.wait_for_selector("text=AssertionError: no")
        # The next one takes its place.
        self.runs.insert(0, self.row("run-1", "running") | {"run": "run-2", "status": "passed"})
        self.reports["run-2"] = {**report_of([test_row("test_new", 1)]), "run": "run-2"}
        tab.fill("#search", "")
        tab.wait_for_selector(".badge.passed")
        self.assertEqual(self.rows(tab), ["test_new"])
        # Whoever chose one keeps it.
        tab.select_option("#runs", "run-1")
        tab.wait_for_selector(".badge.partial_failure")
        self.runs.insert(0, self.row("run-3", "passed", started_at="2026-01-03T03:04:05.000Z"))
        self.reports["run-3"] = {**report_of([test_row("test_newer", 1)]), "run": "run-3"}
        tab.wait_for_selector("text=Show the newest run")
        self.assertEqual(tab.inner_text(".badge"), "failed")
        tab.click("text=Show the newest run")
        tab.wait_for_selector(".row:has-text('test_newer')")
        self.assertNotIn("s3cret", " ".join(self.asked))

    def test_token(self):
        tab = self.open(self.address, fails=["401"])
        tab.wait_for_selector("text=wants a token")
        self.assertEqual(self.asked.count("/runs/run-1"), 0)

    def test_server_that_goes_away(self):
        self.runs = [self.row("run-2", "passed", total_tests=1, passed=1)]
        self.reports["run-2"] = {**report_of([test_row("test_new", 1)]), "run": "run-2"}
        tab = self.open(self.address + "#token=s3cret", fails=["ERR_"])
        tab.wait_for_selector(".badge.passed")
        self.server.shutdown()
        self.server.server_close()
        tab.wait_for_selector("text=does not answer")
        self.assertEqual(self.rows(tab), ["test_new"])

    def test_nothing_yet(self):
        tab = self.open(self.address + "#token=s3cret")
        tab.wait_for_selector("text=No run yet")
        tab.click("#tab-trends")


class Served(Case):
    """The page of a real proctor serve."""

    def setUp(self):
        super().setUp()
        (self.workspace / "code_here.py").write_text("def twice(x):\n    return 2 * x\n")
        (self.workspace / "test_code.py").write_text(
            "import time\nfrom code_here import twice\n"
            "def test_ok(): assert twice(1) == 2\ndef test_wrong(): assert twice(2) == 5\n"
            "def test_slow(): time.sleep(3)\n")
        os.environ["PROCTOR_CACHE_DIR"], before = str(self.cache), os.environ.get("PROCTOR_CACHE_DIR")
        self.service = Service(self.workspace)
        self.addCleanup(self.service.stop)
        os.environ.pop("PROCTOR_CACHE_DIR") if before is None else os.environ.update(PROCTOR_CACHE_DIR=before)
        self.address = f"{self.service.url}/#token={CONFIRMS}"

    def test_a_run_while_it_goes_on_and_after(self):
        tab = self.open(self.address)
        tab.wait_for_selector("text=No run yet")
        thread = threading.Thread(target=self.service.request, args=["POST", "/tests/run_all"])
        thread.start()
        self.addCleanup(thread.join)
        tab.wait_for_selector(".badge.running")
        tab.wait_for_selector(".row:has-text('test_wrong')")
        tab.wait_for_selector(".badge.partial_failure")
        tab.wait_for_selector("text=assert twice(2) == 5")
        self.assertEqual(self.rows(tab)[0], "test_wrong")
        self.assertEqual(len(tab.locator("#runs option").all()), 1)
        # It stays for whoever comes later, after another one.
        self.service.request("POST", "/tests/run", {"path": "test_code.py", "test_name": "test_ok"})
        tab.wait_for_selector(".badge.passed")
        self.assertEqual(len(tab.locator("#runs option").all()), 2)

    def test_questions_before_code_runs(self):
        tab = self.open(self.address, scheme="dark")
        call = {"path": "code_here.py", "function_name": "twice", "args": ["<b>4</b>"]}
        def ask():
            answer = self.service.request("POST", "/functions/execute", call)
            self.assertEqual(answer.status, 428)
            return json.loads(answer.body)["confirmation"]
        def again(token):
            return self.service.request("POST", "/functions/execute", call, {"Proctor-Confirmation": token})
        token = ask()
        tab.wait_for_selector(".question h2:has-text('twice of code_here.py')")
        self.assertEqual(tab.inner_text(".question pre"), '["<b>4</b>"]')
        self.assertIn("execute_function", tab.inner_text(".question p"))
        # The token is not left in the address.
        self.assertEqual(tab.url, self.service.url + "/")
        tab.reload()
        tab.wait_for_selector(".question")
        tab.click("text=Allow once")
        tab.wait_for_selector(".question", state="detached")
        self.assertEqual(json.loads(again(token).body)["result"], "<b>4</b><b>4</b>")
        token = ask()
        tab.click("text=Refuse")
        tab.wait_for_selector(".question", state="detached")
        self.assertEqual(again(token).status, 403)


# Texts whose colour is too near to what is behind them (WCAG 2.1, 4.5 to 1).
CONTRASTS = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const node of document.querySelectorAll('body *')) {
    const has = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!has || !node.checkVisibility() || node.closest('script, style, noscript, option, dialog:not([open])')) continue;
    const style = getComputedStyle(node);
    const colour = parse(node.namespaceURI.endsWith('svg') ? style.fill : style.color);
    const [a, b] = [light(colour), light(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push(`${node.tagName} ${node.className} ${node.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return bad;
}"""

# Controls without a name, images without words, tables without headers, ids that are there twice.
NAMELESS = """() => {
  const bad = [];
  const named = (node) => (node.getAttribute('aria-label') || node.innerText || node.getAttribute('title') || '').trim()
    || (node.labels && [...node.labels].some((label) => label.innerText.trim()))
    || (node.getAttribute('aria-labelledby') || '').split(' ').some((id) => id && document.getElementById(id)?.innerText.trim());
  for (const node of document.querySelectorAll('button, a[href], input, select, summary, [role], [tabindex="0"], svg, canvas')) {
    if (node.closest('dialog:not([open])') || ['presentation', 'status', 'search'].includes(node.getAttribute('role')) || !node.checkVisibility()) continue;
    if (!named(node)) bad.push(`no name: ${node.outerHTML.slice(0, 120)}`);
  }
  for (const table of document.querySelectorAll('table')) {
    if (!table.caption?.innerText.trim()) bad.push('a table without a caption');
    const heads = table.querySelectorAll('thead th[scope=col]').length;
    for (const row of table.querySelectorAll('tbody tr')) if (row.children.length !== heads) bad.push('a row that does not fit its head');
  }
  const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) bad.push(`id twice: ${id}`);
  for (const node of document.querySelectorAll('[aria-controls], [aria-labelledby]')) {
    for (const id of `${node.getAttribute('aria-controls') || ''} ${node.getAttribute('aria-labelledby') || ''}`.trim().split(/\\s+/)) {
      if (!document.getElementById(id)) bad.push(`no such id: ${id}`);
    }
  }
  return bad;
}"""


if __name__ == "__main__":
    unittest.main(verbosity=1)
