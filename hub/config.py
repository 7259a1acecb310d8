"""Every setting of the desk in one table: read from the environment and a file by hub.cli, handed to hub.app.

`PARLEY_PORT=9000` in the environment, or `port = 9000` in the TOML file that `--config` or PARLEY_CONFIG names; the
environment wins. docs/configuration.md is made from this table.
"""

import dataclasses
import difflib
import ipaddress
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_type_hints
from urllib.parse import urlsplit

from hub.errors import StartRefused

PREFIX: Final = "PARLEY_"
S3: Final = "s3://"
# Read by others: where the file is, and what the tests are told.
_NOT_OURS: Final = ("PARLEY_CONFIG", "PARLEY_TEST_")
_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def option(
    default: Any,
    help: str,
    *,
    shown: str | None = None,
    secret: bool = False,
    least: int | None = None,
    most: int | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """One row of the table. `shown` is the default in words where it depends on others."""
    return dataclasses.field(
        default=default,
        repr=not secret,
        metadata={"help": help, "shown": shown, "least": least, "most": most, "choices": tuple(choices)},
    )


@dataclasses.dataclass(frozen=True)
class Config:
    host: str = option(
        "127.0.0.1",
        "The address to listen on. Anything but this machine's own needs an `https` PUBLIC_URL, TRUSTED_PROXIES "
        "(a proxy stands in front) or INSECURE_DEV.",
    )
    port: int = option(8080, "The port to listen on. 0 takes any free one.", least=0, most=65_535)
    public_url: str = option(
        "", "How people reach the desk, without a path: `https://desk.example.org`.", shown="`http://HOST:PORT`"
    )
    trusted_proxies: tuple[Network, ...] = option(
        (),
        "Addresses or networks of the proxies in front, with commas between. Only what comes from them may say with "
        "X-Forwarded-For whom it is from.",
        shown="none",
    )
    insecure_dev: bool = option(False, "Listen on any address without HTTPS. For trying things out, never for people.")
    data: Path = option(  # noqa: RUF009
        Path("data"), "The folder for the database, files, the key and the lock. On a local disk, not on NFS."
    )
    database: str = option(
        "",
        "`postgresql://user:password@host/name` to share one record among several desks.",
        shown="SQLite under DATA",
        secret=True,
    )
    secret_key_file: Path = option(  # noqa: RUF009
        Path(),
        "Holds the keys that seal secrets in the database, one a line in base64, newest on top. Made at the first "
        "start. Without it sealed settings are lost: keep a copy elsewhere.",
        shown="`DATA/secret.key`",
    )
    log_level: str = option(
        "info", "The least important lines that are still written.", choices=("debug", "info", "warning", "error")
    )
    log_format: str = option(
        "auto", "`json`, `text`, or `auto`: text on a terminal, else JSON.", choices=("auto", "json", "text")
    )
    metrics_token: str = option(
        "",
        "What Prometheus has to send as `Authorization: Bearer …` to read /metrics, at least 16 characters. Without "
        "one only this machine itself may, and not through a proxy.",
        shown="none",
        secret=True,
    )
    api_per_minute: int = option(600, "Requests a minute that one API token or session may make.", least=1)
    strangers_per_minute: int = option(
        120, "Requests a minute from one address without a credential that holds (IPv6: one /64).", least=1
    )
    forms_per_hour: int = option(
        5, "Forms an hour that one network may send to an inbox (IPv4: a /24, IPv6: a /56).", least=1
    )
    inbound_kept_days: int = option(30, "How long what came in is kept as it came, in days.", least=1, most=3_650)
    files: str = option(
        "",
        "The folder for what files hold, on a local disk or shared by all desks of one database; or "
        "`s3://bucket/prefix`, with the S3 settings below and DATA/files as a cache.",
        shown="`DATA/files`",
    )
    s3_endpoint: str = option(
        "", "Of the store that FILES names with `s3://`: `https://s3.eu-central-1.amazonaws.com`.", shown="none"
    )
    s3_region: str = option("us-east-1", "Its region, as its signatures have it.")
    s3_key: str = option("", "The access key that may read, write, list and delete there.", shown="none")
    s3_secret: str = option("", "The secret of that key.", shown="none", secret=True)
    content_url: str = option(
        "",
        "An address of its own for what people sent, without a path, that leads to this desk too: "
        "`https://files.example.net`. Best under another domain. Nobody is signed in there.",
        shown="none",
    )
    file_mb: int = option(20, "The largest file that is taken, in megabytes.", least=1, most=2_000)
    message_files: int = option(5, "How many files one message that is written here may have.", least=1, most=50)
    message_mb: int = option(25, "How large all files of one such message may be, in megabytes.", least=1, most=2_000)
    visitor_mb: int = option(100, "How much one visitor may upload in a day, in megabytes.", least=1, most=100_000)
    clamd: str = option(
        "",
        "Where clamd listens, to look at every file for viruses: the path of its socket, or `host:port`. What it finds "
        "is not kept. While it does not answer, visitors cannot send files, and agents are warned of what comes in.",
        shown="none",
    )
    allowed_hosts: str = option(
        "",
        "`host:port` of places in your own network that connectors may call, with commas between. All others there are "
        "refused, whatever their name resolves to.",
        shown="none",
    )
    crash_point: str = option("", "For tests only: the named place at which the process dies.", shown="none")

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(host.strip().lower() for host in self.allowed_hosts.split(",") if host.strip())

    @property
    def is_sqlite(self) -> bool:
        return not self.database

    @property
    def database_path(self) -> Path:
        return self.data / "parley.db"

    @property
    def files_folder(self) -> Path:
        if self.files and not self.files.startswith(S3):
            return Path(self.files).expanduser()
        return self.data / "files"

    @property
    def control_path(self) -> Path:
        return self.data / "desk.sock"

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")


@dataclasses.dataclass(frozen=True)
class Setting:
    """One row of the table as people see it."""

    name: str  # as in the file: "public_url"
    kind: str  # in words
    default: str
    help: str
    secret: bool

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()


_TYPES: Final = get_type_hints(Config)
_FIELDS: Final = {field.name: field for field in dataclasses.fields(Config)}
_KINDS: Final = {
    str: "text",
    int: "a whole number",
    bool: "`true` or `false`",
    Path: "a path",
    tuple[Network, ...]: "addresses",
}


def table() -> Iterator[Setting]:
    for name, field in _FIELDS.items():
        kind = _KINDS[_TYPES[name]]
        if field.metadata["choices"]:
            kind = "one of " + ", ".join(f"`{c}`" for c in field.metadata["choices"])
        shown = field.metadata["shown"] or f"`{plain(field.default)}`"
        yield Setting(name, kind, shown, field.metadata["help"], not field.repr)


def plain(value: Any) -> str:
    """A value as one writes it."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def read(environ: Mapping[str, str], file: Path | None = None) -> Config:
    """The settings, checked; StartRefused names the one that is wrong and how to write it."""
    file = file or (Path(environ["PARLEY_CONFIG"]) if environ.get("PARLEY_CONFIG") else None)
    values: dict[str, Any] = {}
    for name, value in (_from_file(file) if file else {}).items():
        name = _known(name, f"in {file}", str)
        values[name] = _typed(name, value, f"{name} in {file}")
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable.startswith(_NOT_OURS):
            continue
        name = _known(variable.removeprefix(PREFIX).lower(), "in the environment", lambda n: PREFIX + n.upper())
        if text.strip():  # an empty variable is one that is not set: compose files write them so
            values[name] = _typed(name, text.strip(), variable)
    return complete(Config(**values))


def complete(config: Config) -> Config:
    """Fills in what follows from other settings, and refuses what does not go together."""
    if not config.public_url:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)
        host = f"[{host}]" if ":" in host else host
        config = dataclasses.replace(config, public_url=f"http://{host}:{config.port}")
    if config.secret_key_file == Path():
        config = dataclasses.replace(config, secret_key_file=config.data / "secret.key")
    _check_public_url("PARLEY_PUBLIC_URL", config.public_url)
    if config.content_url:
        _check_public_url("PARLEY_CONTENT_URL", config.content_url)
        if urlsplit(config.content_url).hostname == urlsplit(config.public_url).hostname:
            raise StartRefused(
                "PARLEY_CONTENT_URL is under the host of PARLEY_PUBLIC_URL.", "It has to be a host of its own."
            )
    if config.files.startswith(S3) and not (config.s3_endpoint and config.s3_key and config.s3_secret):
        raise StartRefused(
            f"PARLEY_FILES={config.files} is in an S3 store, but not all of that is set.",
            "Set PARLEY_S3_ENDPOINT, PARLEY_S3_KEY and PARLEY_S3_SECRET too.",
        )
    _check_database(config.database)
    if config.metrics_token and len(config.metrics_token) < 16:
        raise StartRefused("PARLEY_METRICS_TOKEN is too short to keep anybody out.", "Take at least 16 characters.")
    if not (is_loopback(config.host) or config.is_https or config.trusted_proxies or config.insecure_dev):
        raise StartRefused(
            f"PARLEY_HOST={config.host} lets others reach the desk, but nothing says that it is by HTTPS.",
            "Set PARLEY_PUBLIC_URL=https://…, or PARLEY_TRUSTED_PROXIES to the proxy in front of it; "
            "PARLEY_INSECURE_DEV=true to try it out in a network you trust.",
        )
    return config


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartRefused(f"Cannot read the settings file {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartRefused(f"The settings file {path} is not TOML: {error}.", "A line reads: port = 8080") from None


def _known(name: str, where: str, write: Any) -> str:
    if name in _FIELDS:
        return name
    near = difflib.get_close_matches(name.lower(), _FIELDS, n=1, cutoff=0.5)
    hint = f"Did you mean {write(near[0])}?" if near else "`parley configuration` lists what there is."
    raise StartRefused(f"There is no setting {write(name)} ({where}).", hint)


def _typed(name: str, value: Any, where: str) -> Any:
    """`value` is text from the environment, or whatever TOML had."""
    field, kind = _FIELDS[name], _TYPES[name]
    if kind is bool:
        return _bool(value, where)
    if kind is int:
        return _int(value, where, field)
    if kind == tuple[Network, ...]:
        return _networks(value, where)
    if not isinstance(value, str):
        raise _wrong(where, "text", f'{name} = "…"')
    if "\0" in value or "\n" in value:
        raise _wrong(where, "one line of text", f'{name} = "…"')
    if kind is Path:
        return Path(value).expanduser()
    choices = field.metadata["choices"]
    if choices and value.lower() not in choices:
        raise StartRefused(f"{where} cannot be {value!r}.", f"It is one of: {', '.join(choices)}.")
    return value.lower() if choices else value


def _bool(value: Any, where: str) -> bool:
    text = str(value).lower()
    if isinstance(value, (bool, str)) and text in (*_TRUE, *_FALSE):
        return text in _TRUE
    raise _wrong(where, "true or false", "true")


def _int(value: Any, where: str, field: "dataclasses.Field[Any]") -> int:
    least, most = field.metadata["least"], field.metadata["most"]
    try:
        if isinstance(value, (bool, float)):
            raise ValueError
        number = int(value)
    except (ValueError, TypeError):
        raise _wrong(where, "a whole number, without a unit", str(field.default)) from None
    if (least is not None and number < least) or (most is not None and number > most):
        limits = f"at least {least}" if most is None else f"between {least} and {most}"
        raise StartRefused(f"{where} is {number}; it has to be {limits}.")
    return number


def _networks(value: Any, where: str) -> tuple[Network, ...]:
    parts = value if isinstance(value, list) else str(value).split(",")
    try:
        return tuple(ipaddress.ip_network(str(part).strip()) for part in parts if str(part).strip())
    except ValueError as error:
        raise StartRefused(f"{where}: {error}.", "Write addresses or networks: 10.0.0.5, 172.30.80.0/24") from None


def _wrong(where: str, wanted: str, example: str) -> StartRefused:
    return StartRefused(f"{where} has to be {wanted}.", f"For example: {example}")


def _check_public_url(setting: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise StartRefused(f"{setting}={url!r} is not the address of a site.", "Write: https://desk.example.org")
    if parts.path not in ("", "/") or parts.query or parts.fragment or url.endswith("/"):
        raise StartRefused(
            f"{setting}={url!r} has more than a host.",
            f"The desk has a host to itself: {parts.scheme}://{parts.netloc}",
        )


def _check_database(url: str) -> None:
    scheme = url.partition("://")[0]
    if url and scheme not in ("postgresql", "postgres"):
        near = difflib.get_close_matches(scheme, ["postgresql"], n=1, cutoff=0.3)
        hint = (
            f"Did you mean {near[0]}://user:password@host/name?"
            if near
            else "Write postgresql://user:password@host/name"
        )
        raise StartRefused("PARLEY_DATABASE names a database that Parley does not know.", f"{hint} Empty means SQLite.")


def markdown() -> str:
    """docs/configuration.md. A test compares it with the file."""
    lines = [
        "# Settings",
        "",
        "Made from the table in `hub/config.py` by `parley configuration --markdown`; change it there.",
        "",
        "A setting is a variable of the environment, or a line of a TOML file that `--config parley.toml` or",
        "`PARLEY_CONFIG` names; the environment wins. In the file the names are small and without `PARLEY_`:",
        "",
        "```toml",
        "port = 8080",
        'public_url = "https://desk.example.org"',
        'trusted_proxies = ["172.30.80.0/24"]',
        "```",
        "",
        "A name that is not in this table, or a value of another type, stops the start and says which it is.",
        "",
        "| variable | what it wants | default | what it is for |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{s.variable}` | {s.kind} | {s.default} | {s.help} |" for s in table()]
    return "\n".join(lines) + "\n"
