"""`parley …`: the command line. What writes goes through the running desk, or opens the record while none runs."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from hub import config as settings
from hub.clock import SystemClock
from hub.config import Config
from hub.errors import ParleyError, Refusal, StartRefused

_MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


class _Group(click.Group):
    """Loads `bench` only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "bench"])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name == "bench":
            from hub.bench.cli import bench

            return bench
        return super().get_command(ctx, name)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", "file", type=click.Path(path_type=Path, dir_okay=False), help="A TOML file with settings.")
@click.version_option(package_name="parley", prog_name="parley")
@click.pass_context
def cli(ctx: click.Context, file: Path | None) -> None:
    """One support desk for every channel."""
    ctx.obj = file


def main() -> NoReturn:
    """Refusals are sentences for a person and end with status 1."""
    try:
        cli(standalone_mode=False)
        sys.exit(0)
    except click.exceptions.Abort:
        click.echo("Stopped; nothing was changed." if sys.stderr.isatty() else "Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ParleyError as error:
        click.echo(f"parley: {error}", err=True)
        sys.exit(1)


# --- the desk --------------------------------------------------------------------------------------------------------


@cli.command()
@click.pass_obj
def serve(file: Path | None) -> None:
    """Run the desk until it is told to stop (Ctrl-C, SIGTERM)."""
    config = _read(file)
    from hub import serve as process

    process.run(config)


@cli.command()
@click.pass_obj
def link(file: Path | None) -> None:
    """Print a new link for making the first administrator; older ones stop working."""
    click.echo(_ask(_read(file), "link", {})["link"])


@cli.group()
def agent() -> None:
    """People who work here."""


@agent.command()
@click.option("--email", prompt="E-mail", help="They sign in with it.")
@click.option("--name", prompt="Name", help="Customers see it.")
@click.option("--role", default="agent", show_default=True, help="administrator, supervisor, agent, observer, …")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input: for scripts.")
@click.option("--invite", is_flag=True, help="Ask for no password; print a link by which they choose one.")
@click.pass_obj
def create(file: Path | None, email: str, name: str, role: str, password_stdin: bool, invite: bool) -> None:
    """Let somebody in. Without a password they get a link, good for three days."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise click.UsageError("There was no password on standard input.")
    elif invite or not sys.stdin.isatty():
        password = ""
    else:
        words = "Password (empty: a link by which they choose it)"
        password = click.prompt(words, default="", hide_input=True, show_default=False, confirmation_prompt=True)
    asked = {"email": email, "name": name, "role": role, "password": password}
    answer = _ask(_read(file), "agent.create", asked)
    click.echo(f"{email} is in, as {role}.")
    if answer["link"]:
        click.echo(f"Send them this link; it works once, for three days:\n\n    {answer['link']}\n")


@agent.command()
@click.option("--email", prompt="E-mail", help="Whose second factor is gone.")
@click.pass_obj
def reset_two_factor(file: Path | None, email: str) -> None:
    """Take the second factor off somebody who has neither phone nor recovery codes any more."""
    _ask(_read(file), "agent.reset_two_factor", {"email": email})
    click.echo(f"{email} signs in with the password alone, and is signed out everywhere until then.")


@cli.group()
def outbox() -> None:
    """What is on its way out."""


@outbox.command()
@click.pass_obj
def release(file: Path | None) -> None:
    """Let what waits leave again, after a restore has frozen it."""
    was_frozen = _ask(_read(file), "outbox.release", {})["was_frozen"]
    click.echo("What waited leaves now." if was_frozen else "It was not frozen; nothing changed.")


@cli.group()
def sample() -> None:
    """Two weeks of a made-up desk, to look around in."""


@sample.command("load")
@click.pass_obj
def load_sample(file: Path | None) -> None:
    """Play the script: 40 small stories in five languages. All of it is marked; nothing of it ever leaves the desk."""
    steps = _ask(_read(file), "sample.load", {})["steps"]
    click.echo(f"The sample data is there: {steps} steps of 40 stories. `parley sample clear` removes it.")


@sample.command("clear")
@click.pass_obj
def clear_sample(file: Path | None) -> None:
    """Remove the sample data, all of it and nothing else."""
    _ask(_read(file), "sample.clear", {})
    click.echo("The sample data is gone; what real people wrote is still there.")


# --- keeping it ------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def backup(file: Path | None, path: Path) -> None:
    """Write a backup to PATH while the desk goes on. The key file is not in it: keep a copy of that elsewhere."""
    config = _read(file)
    answer = _ask(config, "backup", {"path": str(path.absolute())})
    size = f"{answer['bytes'] / 1e6:.1f} MB"
    click.echo(f"{answer['path']}: {answer['rows']:,} rows, {size}, found whole.")
    if answer.get("files"):
        click.echo(f"{answer['path']}.files: what {answer['files']:,} files hold. Keep both together.")
    if answer.get("missing"):
        click.echo(f"{answer['missing']:,} files were missing: `parley doctor` says more.", err=True)
    click.echo(f"Without {config.secret_key_file} the inboxes' secrets in it stay closed: keep a copy of that too.")


@cli.command()
@click.argument("what", type=click.Choice(["tickets", "contacts"]))
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help="As in the API: status=open, q=ann, …")
@click.option("--separator", type=click.Choice(["comma", "semicolon", "tab"]), default="comma", show_default=True)
@click.pass_obj
def export(file: Path | None, what: str, path: Path, filters: tuple[str, ...], separator: str) -> None:
    """Write tickets or contacts as CSV to the new file PATH (-: standard output) while the desk goes on."""
    given = dict(each.partition("=")[::2] for each in filters)
    if not all(given.values()):
        raise click.UsageError("Write a filter as NAME=VALUE, for example --filter status=open.")
    asked = {"what": what, "filter": {**given, "separator": separator}}
    config = _read(file)
    if str(path) != "-":
        answer = _ask(config, "export", {**asked, "path": str(path.absolute())})
        click.echo(f"{answer['path']}: {answer['rows']:,} rows, {answer['bytes'] / 1e6:.1f} MB.")
        return
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        answer = _ask(config, "export", {**asked, "path": f"{folder}/{what}.csv"}, quiet=True)
        with Path(answer["path"]).open("rb") as made:
            shutil.copyfileobj(made, sys.stdout.buffer)


@cli.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def restore(file: Path | None, path: Path) -> None:
    """Put a backup in the place of an empty record. No desk may run on it."""
    config = _read(file)
    from hub import asking

    answer = _run(asking.restore(config, path, _bar()))
    click.echo(f"Restored {answer['rows']:,} rows from {path}.")
    if answer["missing"]:
        click.echo(
            f"What {answer['missing']:,} files hold is not in {path}.files: bring that folder beside the backup, and\n"
            "copy what is in it to the folder for files.",
            err=True,
        )
    click.echo(
        "The outbox is frozen, so that nobody is written to twice: nothing leaves until you have looked through what\n"
        "waits there and said `parley outbox release`."
    )


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON on standard output.")
@click.pass_obj
def doctor(file: Path | None, as_json: bool) -> None:
    """Look whether all is well. Exit status 0: it is; 1: something failed; 0 with warnings."""
    findings = _ask(_read(file), "doctor", {}, quiet=as_json)["findings"]
    if as_json:
        click.echo(json.dumps(findings, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            mark, colour = _MARKS[finding["state"]]
            click.echo(f"{click.style(mark, fg=colour)} {finding['what']:<12} {finding['text']}")
            if finding["advice"] and finding["state"] != "ok":
                click.echo(f"               → {finding['advice']}")
    if any(finding["state"] == "fail" for finding in findings):
        sys.exit(1)


@cli.command()
@click.option("--markdown", is_flag=True, help="As docs/configuration.md.")
@click.pass_obj
def configuration(file: Path | None, markdown: bool) -> None:
    """List the settings: name, value now, what each is for."""
    if markdown:
        click.echo(settings.markdown(), nl=False)
        return
    config = _read(file)
    for row in settings.table():
        hidden = row.secret and getattr(config, row.name)
        click.echo(f"{row.variable} = {'(set)' if hidden else settings.plain(getattr(config, row.name))}")
        click.echo(f"    {row.help}")


# --- how it reaches the desk -----------------------------------------------------------------------------------------


def _read(file: Path | None) -> Config:
    from hub import logs

    if not __debug__:
        raise StartRefused("Python runs with -O (or PYTHONOPTIMIZE is set).", "Start it without.")
    config = settings.read(os.environ, file)
    logs.set_up(SystemClock(), config.log_level, config.log_format)
    os.umask(0o077)
    return config


def _ask(config: Config, name: str, asked: Mapping[str, Any], *, quiet: bool = False) -> dict[str, Any]:
    from hub import asking

    answer = _run(asking.ask(config, name, asked, _bar(quiet)))
    if "refused" in answer:
        raise Refusal("invalid", answer["refused"])
    found: dict[str, Any] = answer["answer"]
    return found


def _run(work: Any) -> Any:
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise click.exceptions.Abort from None


def _bar(quiet: bool = False) -> Any:
    """Progress on a terminal; elsewhere silence."""
    if quiet or not sys.stderr.isatty():
        return lambda *_: None
    from hub.progress import bar

    return bar()
