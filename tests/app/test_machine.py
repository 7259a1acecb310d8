"""A data folder on a remote file system is refused; where the kind is not told, nothing is."""

from pathlib import Path

import pytest

from hub import machine
from hub.errors import StartRefused

MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/export /srv/shared nfs4 rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
/dev/vdb /srv/shared\\040not ext4 rw 0 0
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    file = tmp_path / "mounts"
    file.write_text(MOUNTS)
    return file


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/parley", "ext4"),
        ("/srv/shared/parley", "nfs4"),
        ("/srv/shared", "nfs4"),
        ("/srv/shared not/x", "ext4"),
        ("/srv/sharedness", "ext4"),
    ],
)
def test_the_nearest_mount_counts(mounts: Path, path: str, kind: str) -> None:
    assert machine.file_system(Path(path), mounts) == kind


def test_a_remote_folder_is_refused_with_what_to_do(mounts: Path) -> None:
    with pytest.raises(StartRefused, match="PARLEY_DATA on a local disk"):
        machine.require_local(Path("/srv/shared/parley"), mounts)
    machine.require_local(Path("/var/lib/parley"), mounts)


def test_a_system_that_does_not_tell_refuses_nothing(tmp_path: Path) -> None:
    machine.require_local(Path("/anywhere"), tmp_path / "none")
