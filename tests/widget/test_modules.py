"""The widget's modules: their own tests in Node, the rules that keep them safe and small, their words."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hub import catalogues
from hub.web import widget_files

ROOT = Path(__file__).parents[2]
WIDGET = ROOT / "widget"
OURS = [WIDGET / "loader.js", *sorted((WIDGET / "js").glob("*.js"))]
NODE = pytest.mark.skipif(shutil.which("node") is None, reason="needs node (apt-get install nodejs)")


def node(*words: str, stdin: str | None = None) -> None:
    done = subprocess.run(["node", *words], cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]


@NODE
def test_store_line_and_words_hold_in_node() -> None:
    node("--test", *sorted(str(path) for path in (WIDGET / "tests").glob("*.test.js")))


@NODE
def test_what_is_served_is_one_module_without_a_name_twice(tmp_path: Path) -> None:
    """Written one after the other into one file, the modules share their names."""
    bundle = tmp_path / "chat.mjs"
    bundle.write_bytes(widget_files.files()["widget/chat.js"])
    node("--check", str(bundle))
    loader = tmp_path / "loader.cjs"
    loader.write_bytes(widget_files.Widget().loader(catalogues.load("widget", "en"), {"token": "x", "base": "y"}))
    node("--check", str(loader))


def test_every_module_is_served() -> None:
    names = {path.stem for path in (WIDGET / "js").glob("*.js")} - {"launcher"}
    assert names == set(widget_files.MODULES) | set(widget_files.ALONE)
    for place, name in enumerate(widget_files.MODULES):
        text = (WIDGET / "js" / f"{name}.js").read_text()
        assert set(re.findall(r'from "\./([\w-]+)\.js"', text)) <= set(widget_files.MODULES[:place]), name


def test_nothing_is_lost_where_what_is_spare_is_left_out() -> None:
    text = widget_files.bundle(
        {"a": '// Why.\nexport const a = "  // no  ";\n\n  // More.\nexport function b() {\n  return `x`;\n}\n'}
    )
    assert text == 'const a = "  // no  ";\nfunction b() {\nreturn `x`;\n}\n'


def test_what_ends_a_script_cannot_come_from_a_setting() -> None:
    nasty = "</script><script>alert(1)</script>\u2028<!--"
    made = widget_files.Widget()
    frame = made.frame(catalogues.load("widget", "en"), "v", {"name": nasty, "token": "__LANG__"}).decode()
    assert frame.count("</script>") == 3
    assert frame.count("<script") == 3
    assert "\\u003c/script\\u003e" in frame
    loader = made.loader(catalogues.load("widget", "en"), {"base": "y", "colour": nasty}).decode()
    assert nasty not in loader


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_a_module_keeps_the_rules(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("// "), "opens with a sentence about what lives here"
    assert len(text.splitlines()) <= 320
    assert not re.search(r"(?<![.\w])style=|styleMap|unsafeHTML|innerHTML|\.srcdoc|javascript:|eval\(", text)
    assert path.name == "loader.js" or not re.search(r"localStorage|sessionStorage|document\.cookie", text)


def test_styles_know_no_left_and_right() -> None:
    banned = re.compile(
        r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right)|left|right|float)\s*:|text-align:\s*(?:left|right)"
    )
    for name in ("chat.css", "loader.js"):
        assert not banned.findall((WIDGET / name).read_text()), name


def test_the_vendored_module_is_the_one_that_the_readme_names() -> None:
    folder = WIDGET / "vendor"
    told = dict(re.findall(r"^\| `([\w-]+\.js)` \|.*`([0-9a-f]{64})` \|$", (folder / "README.md").read_text(), re.M))
    assert told == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.js")}


@pytest.mark.parametrize("lang", [lang for lang in catalogues.LANGUAGES if lang != catalogues.SOURCE])
def test_every_text_is_there_in_every_language(lang: str) -> None:
    """Counted by looking for calls, as babel passes over some that stand in templates without a word."""
    known = catalogues.load("widget", lang).messages
    found = set()
    for path in OURS:
        found |= set(re.findall(r'(?<![\w.])_\(\s*"((?:\\.|[^"\\])+)"', path.read_text()))
        found |= set(re.findall(r'(?<![\w.])ngettext\(\s*"((?:\\.|[^"\\])+)"', path.read_text()))
    assert len(found) > 70
    assert found - set(known) == set()
    assert set(known) - found == set(), "no longer said"
    holes = re.compile(r"\{\d\}")
    for text, said in known.items():
        for one in [said] if isinstance(said, str) else said[-1:]:
            assert set(holes.findall(one)) == set(holes.findall(text)), (text, one)
