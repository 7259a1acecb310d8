from pathlib import Path

import pytest

from hub.errors import StartRefused
from hub.seal import SealBroken, Sealer, create_key_file


def test_what_is_sealed_opens_in_its_own_place_only() -> None:
    sealer = Sealer.random()
    sealed = sealer.seal("ሰላም", "inbox a")
    assert sealed != sealer.seal("ሰላም", "inbox a")
    assert sealer.open(sealed, "inbox a") == "ሰላም"
    for wrong in (sealed[:-4] + "AAAA", sealed + "x", sealed.replace("s1.", "s9."), "", "s1", "s1..", "ü"):
        with pytest.raises(SealBroken):
            sealer.open(wrong, "inbox a")
    with pytest.raises(SealBroken):
        sealer.open(sealed, "inbox b")


def test_nothing_of_a_key_shows() -> None:
    sealer = Sealer([b"k" * 32])
    assert "kkk" not in repr(sealer) and "6b6b" not in repr(sealer)


@pytest.mark.may_block("files of a test")
def test_the_key_file_is_made_once_and_read_only_when_it_is_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secret.key"
    create_key_file(path)
    with pytest.raises(FileExistsError):
        create_key_file(path)
    sealed = Sealer.from_file(path).seal("x", "y")
    other = tmp_path / "other.key"
    create_key_file(other)
    other.write_text(other.read_text() + path.read_text())
    both = Sealer.from_file(other)
    assert both.open(sealed, "y") == "x" and not both.is_current(sealed)
    path.chmod(0o644)
    with pytest.raises(StartRefused, match="Everybody"):
        Sealer.from_file(path)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(StartRefused, match="not one of ours"):
        Sealer.from_file(path)
    with pytest.raises(StartRefused, match="Cannot read"):
        Sealer.from_file(tmp_path / "absent")
