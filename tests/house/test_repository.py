"""What must not stand in the source, whoever wrote it. Read from the syntax tree where that is the surer way."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

# Kinds of channels; the folders of connectors/ are added. The hub treats all alike, so it has no word for any.
CHANNELS = {
    *(
        "discord",
        "facebook",
        "imap",
        "instagram",
        "kakao",
        "line",
        "messenger",
        "rcs",
        "slack",
        "sms",
        "smtp",
        "telegram",
    ),
    *("twilio", "viber", "vk", "wechat", "whatsapp", "zalo"),
}
# A word that also means something else: the files of the hub where it may stand, each with what it means there.
OTHER_MEANINGS: dict[str, dict[str, str]] = {
    "chat": {"hub/web/widget_files.py": "a module of the widget"},
    "form": {"hub/web/widget.py": "what the widget is told of the contact form beside it"},
    "line": {
        "hub/live/clients.py": "a connection",
        "hub/web/talk.py": "a connection",
        "hub/web/widget_files.py": "a module of the widget",
    },
}

# Variables that hold a piece of SQL made by us, and nothing else.
FRAGMENTS = {
    "columns",
    "condition",
    "conditions",
    "filters",
    "order",
    "placeholders",
    "scope",
    "sees",
    "sets",
    "table",
    "visible",
    "where",
}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in sorted(set(listed.stdout.split("\0"))) if name and (ROOT / name).is_file()]


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def syntax(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in tracked(*(f"{folder}/*.py" for folder in folders)):
        yield path, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        for alias in node.names:
            yield f"{node.module}.{alias.name}"


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def within(name: str, *modules: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def test_nothing_is_unpickled_evaluated_or_read_as_unsafe_yaml() -> None:
    found = []
    for path, tree in syntax("hub", "connectors"):
        for node in ast.walk(tree):
            for name in imported(node):
                if within(name, "pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml.load", "yaml.unsafe_load"):
                    found.append(f"{place(path, node)}: {name}")
            if isinstance(node, ast.Call):
                called = dotted(node.func)
                if called in {"eval", "exec", "compile", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"}:
                    found.append(f"{place(path, node)}: {called}()")
                if any(word.arg == "shell" and getattr(word.value, "value", None) is True for word in node.keywords):
                    found.append(f"{place(path, node)}: shell=True")
    assert not found


def test_scripts_put_no_markup_into_pages_as_text() -> None:
    banned = re.compile(
        r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write(ln)?|unsafeHTML)\b|\beval\(|\bnew Function\("
    )
    found = []
    for path in tracked("widget/*", "agents_ui/*", "hub/*", "connectors/*"):
        if path.suffix not in {".js", ".mjs", ".html"} or "vendor" in path.parts:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if banned.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found


def test_only_the_clock_tells_the_time_of_day() -> None:
    banned = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    found = []
    for path, tree in syntax("hub", "connectors"):
        if path == ROOT / "hub" / "clock.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                name = dotted(node)
                if name in banned or name.removeprefix("datetime.") in banned:
                    found.append(f"{place(path, node)}: {name}")
            found += [f"{place(path, node)}: {name}" for name in imported(node) if name in banned]
    assert not found


def test_the_hub_knows_no_channel_by_name() -> None:
    folders = {path.parent.name for path in tracked("connectors/*/*.py")}
    kinds = (CHANNELS | folders) - {"connectors", "email"}  # that one is a kind of address as well, and meant so there
    found = []
    for path, tree in syntax("hub"):
        if path.is_relative_to(ROOT / "hub" / "bench"):
            continue  # it measures through a real channel, and nothing of the desk imports it
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in kinds:
                if str(path.relative_to(ROOT)) not in OTHER_MEANINGS.get(node.value, {}):
                    found.append(f"{place(path, node)}: {node.value!r}")
    assert not found


def test_a_connector_sees_the_contract_and_nothing_else_of_the_hub() -> None:
    found = []
    for path, tree in syntax("connectors"):
        for node in ast.walk(tree):
            for name in imported(node):
                if within(name, "hub") and not within(name, "hub.connector"):
                    found.append(f"{place(path, node)}: {name}")
    assert not [line for line in found if not line.endswith(": hub")]


def test_the_contract_needs_nothing_of_the_hub_but_its_errors() -> None:
    path = ROOT / "hub" / "connector.py"
    assert path.exists()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {name for node in ast.walk(tree) for name in imported(node) if within(name, "hub")}
    assert not {name for name in names if not within(name, "hub.errors") and name != "hub"}


def test_only_the_edges_speak_http_to_callers() -> None:
    edges = ("hub/web/", "hub/app", "hub/live/", "hub/bench", "hub/cli.py", "connectors/")
    found = []
    for path, tree in syntax("hub"):
        if str(path.relative_to(ROOT)).startswith(edges):
            continue
        for node in ast.walk(tree):
            if any(within(name, "aiohttp.web") for name in imported(node)) or (
                isinstance(node, ast.Attribute) and dotted(node).startswith("aiohttp.web")
            ):
                found.append(place(path, node))
    assert not found


def test_sql_stands_in_the_rooms_and_the_database_only() -> None:
    statement = re.compile(
        r"^\s*(SELECT\s.+\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s*\()", re.S
    )
    outside = ("hub/web/", "hub/commands", "hub/app", "hub/cli.py", "connectors/")
    found = []
    for path, tree in syntax("hub", "connectors"):
        if not str(path.relative_to(ROOT)).startswith(outside):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and statement.match(node.value):
                found.append(f"{place(path, node)}: {node.value.strip()[:60]}")
    assert not found


def test_sql_is_put_together_from_our_own_constants_only() -> None:
    """Values travel as parameters. What an f-string puts into a statement is a constant, a list of placeholders, or a
    fragment named as such: never something a caller sent."""
    start = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s", re.S)
    found = []
    for path, tree in syntax("hub", "connectors"):
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        # What stands outside of functions is made at import, from our own names alone.
        for node in (node for function in functions for node in ast.walk(function)):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
                if isinstance(node.left, ast.Constant) and start.match(str(node.left.value)):
                    found.append(f"{place(path, node)}: %")
            if not isinstance(node, ast.JoinedStr) or not node.values:
                continue
            head = node.values[0]
            if not (isinstance(head, ast.Constant) and start.match(str(head.value))):
                continue
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    name = dotted(part.value).rsplit(".", 1)[-1]
                    if not (name.isupper() or name in FRAGMENTS):
                        found.append(f"{place(path, part)}: {{{ast.unparse(part.value)}}}")
    assert not found


def test_no_secret_and_no_place_of_one_machine_is_tracked() -> None:
    banned = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|/home/\w+/|/Users/\w+/|file:///|\bAKIA[0-9A-Z]{16}\b")
    found = []
    for path in tracked():
        if path == Path(__file__).resolve() or "vendor" in path.parts:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if banned.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found


@pytest.mark.parametrize("name", ["bin/run", "bin/test", "bin/lock", ".ci/run"])
def test_a_command_can_be_started(name: str) -> None:
    path = ROOT / name
    assert path.stat().st_mode & 0o111, "not executable"
    assert path.read_text().startswith(("#!/usr/bin/env bash\n", "#!/bin/sh\n"))


@pytest.fixture
def compose() -> dict:
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


class TestCompose:
    def test_two_hubs_share_a_database_and_a_key_behind_a_proxy(self, compose: dict) -> None:
        services = compose["services"]
        assert {"desk-1", "desk-2", "postgres", "proxy"} <= services.keys()
        for name in ("desk-1", "desk-2"):
            environment = services[name]["environment"]
            assert environment["PARLEY_DATABASE"].startswith("postgresql://")
            assert environment["PARLEY_SECRET_KEY_FILE"] == "/run/secrets/parley_key"
            assert services[name]["secrets"] == ["parley_key"]
        assert services["desk-1"]["environment"] == services["desk-2"]["environment"]
        assert "C.UTF-8" in services["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]

    def test_every_secret_volume_and_network_is_declared(self, compose: dict) -> None:
        for service in compose["services"].values():
            assert set(service.get("secrets", [])) <= compose["secrets"].keys()
            assert set(service.get("networks", [])) <= compose["networks"].keys()
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                assert source in compose["volumes"] or (ROOT / source).exists()
            assert set(service.get("depends_on", {})) <= compose["services"].keys()

    def test_the_proxy_knows_both_hubs_and_lets_sockets_through(self) -> None:
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        assert "server desk-1:8080" in text and "server desk-2:8080" in text
        assert "proxy_set_header Upgrade $http_upgrade;" in text
        assert text.count("{") == text.count("}")

    def test_the_settings_are_ones_that_the_hub_has(self, compose: dict) -> None:
        used = {
            name
            for service in compose["services"].values()
            for name in service.get("environment", {})
            if name.startswith("PARLEY_")
        }
        used |= set(re.findall(r"\bPARLEY_[A-Z_]+(?==)", (ROOT / "Dockerfile").read_text()))
        config = (ROOT / "hub" / "config.py").read_text()
        unknown = {name for name in used if name not in config and name.removeprefix("PARLEY_").lower() not in config}
        assert not unknown
