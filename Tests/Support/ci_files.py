"""The files for continuous integration: what their platforms, linters and the program itself make of them.

usage: PROCTOR=path/of/proctor ci_files.py [TestCase...]
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import tree_sitter
import tree_sitter_groovy
from ruamel.yaml import YAML

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROCTOR = os.environ["PROCTOR"]
TOOLS = pathlib.Path(sys.prefix) / "bin"
ACTION = REPOSITORY / "action.yml"
GITLAB = REPOSITORY / "ci/gitlab.yml"
GUIDE = REPOSITORY / "docs/ci.md"
SCRIPTS = sorted((REPOSITORY / "ci/github").glob("*.sh"))
# What a platform calls its file, and the schema for it.
SCHEMAS = {".github/workflows/": "vendor.github-workflows", ".gitlab-ci.yml": "vendor.gitlab-ci", ".buildkite/": "vendor.buildkite"}
# What each platform sets, and the guide's files lean on.
PLATFORM = {
    "CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "4", "BUILDKITE_PARALLEL_JOB": "0", "BUILDKITE_PARALLEL_JOB_COUNT": "4",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": "0123abc", "CHANGE_TARGET": "main",
}
SLURM = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "8", "SLURM_ARRAY_TASK_COUNT": "8"}
KUBERNETES = {"JOB_COMPLETION_INDEX": "0", "PROCTOR_SHARDS": "8"}
YAML_READER = YAML(typ="safe", pure=True)


def fences():
    """The guide's snippets: the language of each and its text."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def platform_files():
    """The guide's YAML: the name on its first line and its text."""
    for language, text in fences():
        if language == "yaml":
            yield re.match(r"# (\S+)\n", text)[1], text


def schema_of(name):
    return next(schema for start, schema in SCHEMAS.items() if name.startswith(start))


def shell_pieces():
    """Everything that a shell is to run: where it stands, its dialect and its text."""
    for path in SCRIPTS:
        yield path.name, "bash", path.read_text()
    for step in YAML_READER.load(ACTION.read_text())["runs"]["steps"]:
        yield f"action.yml, {step['id']}", "bash", step["run"]
    for name, job in YAML_READER.load(GITLAB.read_text()).items():
        for text in job.get("script", []):
            yield f"gitlab.yml, {name}", "sh", text
    for language, text in fences():
        if language == "sh":
            yield "ci.md", "sh", text
        elif language == "groovy":
            for command in re.findall(r"\bsh '([^']*)'", text):
                yield "ci.md, Jenkinsfile", "sh", command
        elif language == "yaml":
            yield from yaml_shell(text)


def yaml_shell(text):
    content = YAML_READER.load(text)
    for job in content.get("jobs", {}).values():
        for step in job["steps"]:
            if "run" in step:
                yield "ci.md, a workflow", "bash", step["run"]
    if isinstance(content.get("steps"), list):
        for step in content["steps"]:
            for command in [*step.get("commands", []), step.get("command")]:
                if command:
                    # What Buildkite itself would replace while it reads the file is not there yet.
                    assert not re.search(r"(?<!\$)\$(?!\$)", command), command
                    yield "ci.md, Buildkite", "bash", command.replace("$$", "$")


class Checked(unittest.TestCase):
    """A folder of its own for each test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()

    def tool(self, name, *arguments, **more):
        done = subprocess.run([TOOLS / name, *map(str, arguments)], capture_output=True, text=True, **more)
        self.assertEqual(done.returncode, 0, f"{name} {arguments}\n{done.stdout}{done.stderr}")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class Files(Checked):
    """What platforms and linters say of them."""

    def test_the_action_is_as_github_wants_it(self):
        self.tool("check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION)

    def test_the_gitlab_jobs_are_as_gitlab_wants_them(self):
        self.tool("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", GITLAB)

    def test_the_files_of_the_guide_are_as_their_platforms_want_them(self):
        groups = {}
        for index, (name, text) in enumerate(platform_files()):
            path = self.write(f"{index}/{pathlib.PurePath(name).name}", text)
            groups.setdefault(schema_of(name), []).append(path)
        self.assertEqual(set(groups), set(SCHEMAS.values()))
        for schema, paths in groups.items():
            self.tool("check-jsonschema", "--builtin-schema", schema, *paths)

    def test_jobs_extend_what_there_is(self):
        hidden = YAML_READER.load(GITLAB.read_text())
        for name, text in platform_files():
            if name != ".gitlab-ci.yml":
                continue
            jobs = YAML_READER.load(text)
            for job in jobs.values():
                if "extends" in job:
                    self.assertIn(job["extends"], hidden)
                for need in job["needs"] if "needs" in job else []:
                    self.assertIn(need["job"], jobs)

    def test_no_input_becomes_part_of_a_script(self):
        for step in YAML_READER.load(ACTION.read_text())["runs"]["steps"]:
            self.assertNotIn("${{", step["run"])
        folder = self.folder / ".github/workflows"
        for name, text in platform_files():
            if name.startswith(".github/"):
                self.write(name, text)
        self.assertGreaterEqual(len(list(folder.iterdir())), 4)
        # Tags stand for what is to be pinned; everything else that it knows of counts.
        rules = self.write("zizmor.yml", "rules:\n  unpinned-uses:\n    disable: true\n")
        self.tool("zizmor", "--offline", "--no-progress", "--config", rules, ACTION, folder)

    def test_workflows_use_what_the_action_has(self):
        action = YAML_READER.load(ACTION.read_text())
        uses = 0
        for name, text in platform_files():
            if not name.startswith(".github/"):
                continue
            for job in YAML_READER.load(text)["jobs"].values():
                own = [step for step in job["steps"] if "/proctor@" in step.get("uses", "")]
                for step in own:
                    uses += 1
                    self.assertLessEqual(set(step.get("with", {})), set(action["inputs"]))
                    for output in re.findall(rf"steps\.{step.get('id')}\.outputs\.([\w-]+)", text):
                        self.assertIn(output, action["outputs"])
        self.assertGreaterEqual(uses, 5)

    def test_the_pipeline_is_groovy(self):
        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language()))
        pipelines = [text for language, text in fences() if language == "groovy"]
        self.assertEqual(len(pipelines), 1)
        self.assertFalse(parser.parse(pipelines[0].encode()).root_node.has_error)
        # A parser that takes anything would prove nothing.
        self.assertTrue(parser.parse(pipelines[0].rstrip().removesuffix("}").encode()).root_node.has_error)

    def test_shell_is_as_a_linter_wants_it(self):
        paths = {"bash": [], "sh": []}
        for index, (_, dialect, text) in enumerate(shell_pieces()):
            paths[dialect].append(self.write(f"{dialect}/{index}.sh", text))
        self.assertGreaterEqual(len(paths["bash"]), 6)
        self.assertGreaterEqual(len(paths["sh"]), 10)
        for dialect, files in paths.items():
            for path in files:
                subprocess.run(["bash", "-n", path], check=True)
            self.tool("shellcheck", "--shell", dialect, *files)

    def test_the_guide_names_every_exit_status(self):
        named = set(re.findall(r"^\| (\d+) \|", GUIDE.read_text(), re.MULTILINE))
        words = subprocess.run([PROCTOR, "--help"], capture_output=True, text=True, check=True).stdout
        words = " ".join(words.split())
        words = words[words.index("EXIT STATUS"):words.index("USAGE")]
        self.assertEqual(named, set(re.findall(r"\b(\d+) [a-z]", words)))


class Actionlint(Checked):
    """For those who have it: no package brings it along, so that this is not part of the suite."""

    def lint(self):
        # shellcheck is found there.
        tools = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}"}
        return subprocess.run(["actionlint", "-oneline"], cwd=self.folder, env=tools, capture_output=True, text=True)

    def test_the_guides_workflows(self):
        (self.folder / ".git").mkdir()
        shutil.copy(ACTION, self.folder)
        for name, text in platform_files():
            if name.startswith(".github/"):
                # An action that is beside the workflows is looked into.
                self.write(name, re.sub(r"uses: \S+/proctor@\S+", "uses: ./", text))
        done = self.lint()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        workflow = self.folder / ".github/workflows/gate.yml"
        workflow.write_text(workflow.read_text().replace("base: ", "nonsense: ", 1))
        self.assertIn('input "nonsense" is not defined in action "proctor"', self.lint().stdout)


class Commands(Checked):
    """Each command line of them, as the shell hands it over, is one that the program takes."""

    def setUp(self):
        super().setUp()
        self.log = self.folder / "calls"
        # Calls are noted, in a folder where nothing is.
        stand_in = '#!/bin/sh\n{ for word in "$@"; do printf "%s\\0" "$word"; done; printf "\\n\\0"; } >>"$CALLS"\n'
        for name in ["proctor", "docker", "git", "buildkite-agent"]:
            path = self.write(f"bin/{name}", stand_in if name == "proctor" else "#!/bin/sh\n")
            path.chmod(0o755)
        self.empty = self.folder / "empty"
        self.empty.mkdir()
        self.checked = set()

    def calls(self, dialect, text, **variables):
        """The words of each call that a script makes."""
        self.log.write_text("")
        environment = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "CALLS": str(self.log), **PLATFORM, **variables}
        subprocess.run([dialect, "-c", text], cwd=self.empty, env=environment, capture_output=True)
        return [call.split("\0")[:-1] for call in self.log.read_text().split("\n\0") if call]

    def check(self, call, **variables):
        once = (*call, *variables.items())
        if once in self.checked:
            return
        self.checked.add(once)
        environment = {**{key: value for key, value in os.environ.items() if key != "CI"}, **variables}
        done = subprocess.run([PROCTOR, *call], cwd=self.empty, env=environment, capture_output=True, text=True)
        self.assertNotIn("Usage: proctor", done.stderr, f"proctor {call}")
        if call[0] == "run":
            # There are no tests here.
            self.assertEqual(done.returncode, 4, f"proctor {call}: {done.stderr}")

    def shell(self, where):
        return [(dialect, text) for name, dialect, text in shell_pieces() if name.startswith(where)]

    def test_the_guide(self):
        seen = set()
        for _, text in self.shell("ci.md"):
            # Each engine's variables alone, as there.
            engine = SLURM if "SLURM" in text else KUBERNETES if "JOB_COMPLETION" in text else PLATFORM
            text = text.replace("/reports/", "reports/").replace("/workspace", ".")
            text = re.sub(r"docker run .*?\bproctor run", "proctor run", text, flags=re.DOTALL)
            for call in self.calls("bash", text, **SLURM, **KUBERNETES):
                self.check(call, **engine)
                seen.add(call[0])
        self.assertEqual(seen, {"run", "gate", "merge", "history"})
        # And what stands in its sentences.
        text = re.sub(r"^```.*?^```$", "", GUIDE.read_text(), flags=re.MULTILINE | re.DOTALL)
        options = re.findall(r"`(--(?!security-opt)[\w-]+)", text)
        words = "".join(
            subprocess.run([PROCTOR, command, "--help"], capture_output=True, text=True, check=True).stdout for command in seen)
        for option in options:
            self.assertIn(option, words)

    def test_the_gitlab_jobs(self):
        seen = set()
        jobs = YAML_READER.load(GITLAB.read_text())
        base = jobs[".proctor-base"]["variables"]
        for name, job in jobs.items():
            for text in job.get("script", []):
                for more in [{}, {"PROCTOR_FILTER": "a b", "PROCTOR_RETRIES": "2", "PROCTOR_HISTORY": "kept/history.ndjson"}]:
                    self.write("empty/kept/history.ndjson", "{}")
                    for call in self.calls("sh", text, **{**base, **job.get("variables", {}), **more}):
                        self.check(call, **PLATFORM)
                        seen.add(call[0])
        self.assertEqual(seen, {"run", "gate", "merge", "history"})


if __name__ == "__main__":
    unittest.main()
