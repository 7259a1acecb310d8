"""Settings: from where, in which form, and what is said about one that is wrong."""

from pathlib import Path

import pytest

from hub import config
from hub.errors import StartRefused

ROOT = Path(__file__).parents[2]


def refused(environ: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(StartRefused) as caught:
        config.read(environ, file)
    return str(caught.value)


def test_without_any_setting_it_is_a_desk_for_this_machine() -> None:
    read = config.read({})
    assert (read.host, read.port, read.public_url) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert read.is_sqlite
    assert read.secret_key_file == Path("data/secret.key")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "parley.toml"
    file.write_text('port = 9000\nforms_per_hour = 7\ntrusted_proxies = ["10.0.0.1", "fd00::/8"]\n')
    read = config.read({"PARLEY_PORT": "9100", "PARLEY_CONFIG": str(file)})
    assert (read.port, read.forms_per_hour) == (9100, 7)
    assert [str(network) for network in read.trusted_proxies] == ["10.0.0.1/32", "fd00::/8"]


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert config.read({"PARLEY_DATABASE": "", "PARLEY_PORT": " "}).port == 8080


@pytest.mark.parametrize(
    ("variable", "near"),
    [("PARLEY_PROT", "PARLEY_PORT"), ("PARLEY_DATABSE", "PARLEY_DATABASE"), ("PARLEY_PUBLICURL", "PARLEY_PUBLIC_URL")],
)
def test_an_unknown_variable_is_refused_with_the_nearest_name(variable: str, near: str) -> None:
    said = refused({variable: "x"})
    assert variable in said
    assert f"Did you mean {near}?" in said


def test_an_unknown_name_in_the_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    file = tmp_path / "parley.toml"
    file.write_text("prot = 1\n")
    said = refused({}, file)
    assert "prot" in said
    assert str(file) in said
    assert "Did you mean port?" in said


def test_a_name_like_no_other_is_refused_with_where_to_look() -> None:
    assert "parley configuration" in refused({"PARLEY_QQQQQQQ": "x"})


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PARLEY_PORT", "eighty", "a whole number"),
        ("PARLEY_PORT", "80.5", "a whole number"),
        ("PARLEY_PORT", "99999", "between 0 and 65535"),
        ("PARLEY_FORMS_PER_HOUR", "0", "at least 1"),
        ("PARLEY_INBOUND_KEPT_DAYS", "30d", "without a unit"),
        ("PARLEY_INSECURE_DEV", "maybe", "true or false"),
        ("PARLEY_LOG_FORMAT", "yaml", "auto, json, text"),
        ("PARLEY_TRUSTED_PROXIES", "10.0.0.1, proxy", "addresses or networks"),
        ("PARLEY_TRUSTED_PROXIES", "10.0.0.1/8", "addresses or networks"),
        ("PARLEY_PUBLIC_URL", "desk.example.org", "https://desk.example.org"),
        ("PARLEY_PUBLIC_URL", "https://desk.example.org/help", "https://desk.example.org"),
        ("PARLEY_PUBLIC_URL", "ftp://desk.example.org", "https://"),
        ("PARLEY_DATABASE", "postgrsql://u@h/d", "Did you mean postgresql://"),
        ("PARLEY_DATABASE", "mysql://u@h/d", "postgresql://user:password@host/name"),
        ("PARLEY_METRICS_TOKEN", "short", "16 characters"),
    ],
)
def test_a_wrong_value_is_refused_and_the_setting_named(variable: str, value: str, said: str) -> None:
    text = refused({variable: value})
    assert variable in text
    assert said in text


@pytest.mark.parametrize(
    "line", ["port = true", 'port = "8x"', "port = 1.5", "host = 5", "insecure_dev = 2", "data = []"]
)
def test_a_value_of_another_type_in_the_file_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "parley.toml"
    file.write_text(line + "\n")
    assert line.split(" ")[0] in refused({}, file)


def test_a_file_that_is_not_toml_or_not_there_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "parley.toml"
    assert "Cannot read" in refused({"PARLEY_CONFIG": str(file)})
    file.write_text("port: 8080")
    assert "port = 8080" in refused({}, file)


class TestListeningToOthers:
    @pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "desk.internal"])
    def test_it_takes_more_than_an_address(self, host: str) -> None:
        said = refused({"PARLEY_HOST": host})
        assert "PARLEY_PUBLIC_URL" in said
        assert "PARLEY_TRUSTED_PROXIES" in said

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("PARLEY_PUBLIC_URL", "https://desk.example.org"),
            ("PARLEY_TRUSTED_PROXIES", "172.30.80.0/24"),
            ("PARLEY_INSECURE_DEV", "true"),
        ],
    )
    def test_any_of_three_settings_says_that_it_is_meant(self, variable: str, value: str) -> None:
        assert config.read({"PARLEY_HOST": "0.0.0.0", variable: value}).host == "0.0.0.0"

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
    def test_this_machine_needs_none(self, host: str) -> None:
        assert config.read({"PARLEY_HOST": host}).host == host


def test_secrets_are_not_in_its_repr() -> None:
    shown = repr(config.read({"PARLEY_DATABASE": "postgresql://u:hunter2@h/d", "PARLEY_METRICS_TOKEN": "hunter2" * 3}))
    assert "hunter2" not in shown


def test_the_page_about_settings_is_up_to_date() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == config.markdown(), "parley configuration --markdown > docs/configuration.md"


def test_every_setting_has_a_help_and_a_default_in_words() -> None:
    for row in config.table():
        assert row.help.endswith("."), row.name
        assert row.default, row.name
