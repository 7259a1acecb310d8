"""The modules of the pages: their own tests in Node, the rules that keep them safe and small, and the vendored ones."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JS = ROOT / "agents_ui" / "js"
OURS = sorted(path for path in JS.rglob("*.js") if "vendor" not in path.parts)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node (apt-get install nodejs)")
def test_store_line_and_texts_hold_in_node() -> None:
    tests = sorted(str(path) for path in (ROOT / "agents_ui" / "tests").glob("*.test.js"))
    done = subprocess.run(["node", "--test", *tests], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]


def test_one_module_fetches_and_one_opens_the_socket() -> None:
    found = {
        word: [p.name for p in OURS if re.search(word, p.read_text())] for word in (r"\bfetch\(", r"new \S*WebSocket")
    }
    # check.js only tries whether one comes through: it keeps no line.
    assert found == {r"\bfetch\(": ["base.js"], r"new \S*WebSocket": ["base.js", "check.js"]}


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_a_module_keeps_the_rules(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("// "), "opens with a sentence about what lives here"
    assert len(text.splitlines()) <= 480, "what only some screens need comes when they are opened"
    assert not re.search(r"(?<!\.)\bstyle=|styleMap|unsafeHTML|unsafe-html|innerHTML|\.srcdoc|javascript:", text)
    assert not re.search(r"""from ['"][^.'"]""", text), "imports are relative: there is no import map"


def test_the_vendored_modules_are_those_that_the_readme_names() -> None:
    folder = JS / "vendor"
    told = dict(re.findall(r"^\| `([\w-]+\.js)` \|.*`([0-9a-f]{64})` \|$", (folder / "README.md").read_text(), re.M))
    assert told == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.js")}


def test_styles_know_no_left_and_right() -> None:
    banned = re.compile(
        r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right)|left|right|float)\s*:|text-align:\s*(?:left|right)"
    )
    for path in (ROOT / "agents_ui" / "css").glob("*.css"):
        assert not banned.findall(path.read_text()), path.name
