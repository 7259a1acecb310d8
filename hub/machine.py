"""What kind of place the data folder is on. Asked by hub.app before it opens anything, and by hub.doctor."""

import os
from pathlib import Path
from typing import Final

from hub.errors import StartRefused

# Where locks and write-ahead logs are not to be trusted.
REMOTE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "glusterfs"})
FLEETING: Final = frozenset({"tmpfs", "ramfs"})
MOUNTS: Final = Path("/proc/self/mounts")


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system `path` is (or would be) on, as Linux names it; "" where it does not tell."""
    real = os.path.realpath(path)
    best, kind = "", ""
    try:
        for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
            _, place, this, *_ = line.split(" ")
            place = place.replace("\\040", " ")
            inside = real == place or real.startswith(place.rstrip("/") + "/")
            if inside and len(place) >= len(best):
                best, kind = place, this
    except (OSError, ValueError):
        return ""
    return kind


def require_local(path: Path, mounts: Path = MOUNTS) -> None:
    kind = file_system(path, mounts)
    if kind in REMOTE:
        raise StartRefused(
            f"{path} is on a remote file system ({kind}), on which SQLite loses data.",
            "Put PARLEY_DATA on a local disk, or keep the record in PostgreSQL (PARLEY_DATABASE).",
        )
