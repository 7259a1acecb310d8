"""What files hold: a folder beside the record, where each content lies once under the name of its SHA-256.

    new/<random>            being written; what is left there by a crash is swept
    ab/ab12…                a content, there before the unit that names it commits
    ab/ab12….preview        a small picture of it

The record says what is there; a content that no row names is an orphan, and goes once it is an hour old: what is
written, or written once more, is younger than that until its row is there. Everything here is file work: for threads,
not for the loop and not for units.
"""

import errno
import hashlib
import math
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from hub.errors import ParleyError, Unavailable

HEAD: Final = 65_536  # bytes from the beginning and from the end that are kept to judge by
PIECE: Final = 262_144
NO_ROOM_LEFT: Final = 256_000_000  # bytes that stay free for the record itself
YOUNG: Final = 3_600.0  # seconds
PREVIEW: Final = ".preview"
_NAME: Final = re.compile(r"[0-9a-f]{64}")
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much there may be of them; sizes in bytes."""

    file: int = 20_000_000
    message: int = 25_000_000  # all files of one message that is written here
    count: int = 5  # of one message that is written here
    visitor: int = 100_000_000  # all that one visitor uploads in a day
    visitor_count: int = 50


class TooLarge(ParleyError):
    """More came than may: `most` bytes."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The file is larger than {in_words(most)}.")
        self.most = most


class NoRoom(Unavailable):
    """The disk is as good as full."""

    def __init__(self) -> None:
        super().__init__("There is no room left for files on this desk. Nothing was stored.", 60)


class Writing:
    """A content on its way in. `write` as often as wanted, then `Contents.keep` or `drop`."""

    def __init__(self, path: Path, most: int) -> None:
        self.path, self.most = path, most
        self.size = 0
        self.head, self.tail = b"", b""
        self._hash = hashlib.sha256()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        if self.size + len(chunk) > self.most:
            raise TooLarge(self.most)
        view = memoryview(chunk)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise _readable(error) from error
        self._hash.update(chunk)
        self.size += len(chunk)
        if len(self.head) < HEAD:
            self.head += chunk[: HEAD - len(self.head)]
        self.tail = (self.tail + chunk)[-HEAD:] if len(chunk) < HEAD else chunk[-HEAD:]

    def sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise _readable(error) from error

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Contents:
    """The folder. Safe for several processes at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f"<Contents {self.root}>"

    # --- writing -----------------------------------------------------------------------------------------------------

    def begin(self, most: int) -> Writing:
        """A new content of at most `most` bytes."""
        try:
            new = self._folder("new")
            if shutil.disk_usage(new).free < NO_ROOM_LEFT:
                raise NoRoom
            return Writing(new / secrets.token_hex(16), most)
        except OSError as error:
            raise _readable(error) from error

    def flush(self, writing: Writing) -> None:
        """All of it is on disk, and whoever wants to can look at it."""
        writing.sync()

    def keep(self, writing: Writing) -> str:
        """Gives it its name, which is returned; the unit that names it comes after."""
        try:
            writing.sync()
            self._settle(writing.path, self.path(writing.sha256))
        except OSError as error:
            raise _readable(error) from error
        finally:
            self.drop(writing)
        return writing.sha256

    def drop(self, writing: Writing) -> None:
        """It is not wanted, or it has its name by now."""
        writing.close()
        writing.path.unlink(missing_ok=True)

    def keep_preview(self, sha256: str, preview: bytes) -> None:
        try:
            self._place(self.preview(sha256), preview)
        except OSError as error:
            raise _readable(error) from error

    def _place(self, to: Path, data: bytes) -> None:
        """Written anew, whole or not at all."""
        new = self._folder("new") / secrets.token_hex(16)
        new.write_bytes(data)
        new.chmod(0o600)
        self._folder(to.parent.name)
        new.replace(to)

    def _settle(self, new: Path, path: Path) -> None:
        folder = self._folder(path.parent.name)
        try:
            os.link(new, path)
        except FileExistsError:
            os.utime(path)  # young again: nobody may take it for an orphan before its row is there
        sync(folder)

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(self.root)
        return folder

    # --- reading -----------------------------------------------------------------------------------------------------

    def path(self, sha256: str) -> Path:
        if not _NAME.fullmatch(sha256):
            raise ValueError("this is the name of no content")
        return self.root / sha256[:2] / sha256

    def preview(self, sha256: str) -> Path:
        path = self.path(sha256)
        return path.with_name(path.name + PREVIEW)

    def ensure(self, sha256: str) -> bool:
        """It can be read at its `path` now; False: it is not there (any more)."""
        return self.path(sha256).is_file()

    def ensure_preview(self, sha256: str) -> bool:
        return self.preview(sha256).is_file()

    def size_of(self, sha256: str) -> int | None:
        """In bytes; None: it is not there."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def all(self) -> Iterator[tuple[str, Path]]:
        """(name, path) of every content there is."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                if _NAME.fullmatch(path.name):
                    yield path.name, path

    # --- backup ------------------------------------------------------------------------------------------------------

    def copy_to(self, other: "Contents", names: Iterable[str]) -> tuple[int, int]:
        """Copies what is not there yet; (how many of the names are there now, how many are missing here)."""
        there = missing = 0
        for name in names:
            if not other.ensure(name):
                if not self.ensure(name):
                    missing += 1
                    continue
                preview = self.preview(name) if self.ensure_preview(name) else None
                other.take_in(self.path(name), name, preview)
            there += 1
        return there, missing

    def take_in(self, source: Path, sha256: str, preview: Path | None) -> None:
        """A content that lies elsewhere, and its small picture."""
        new = self._folder("new") / secrets.token_hex(16)
        shutil.copyfile(source, new)
        new.chmod(0o600)
        sync(new)
        self._settle(new, self.path(sha256))
        new.unlink()
        if preview is not None:
            shutil.copyfile(preview, self.preview(sha256))

    # --- tidying -----------------------------------------------------------------------------------------------------

    def old(self) -> list[str]:
        """Contents that have been there longer than a unit takes: if no row names one of them, it is an orphan."""
        before = self._moment() - YOUNG
        return [name for name, path in self.all() if _written(path) < before]

    def remove(self, sha256: str) -> bool:
        """An orphan goes, unless it was written once more just now."""
        path = self.path(sha256)
        if _written(path) >= self._moment() - YOUNG:
            return False
        self._forget(sha256)
        return True

    def _forget(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)
        self.preview(sha256).unlink(missing_ok=True)

    def sweep_new(self) -> int:
        """What was begun a day ago is not going on any more."""
        before, gone = self._moment() - 24 * YOUNG, 0
        for path in (self.root / "new").glob("*"):
            if _written(path) < before:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def _moment(self) -> float:
        """Now, by the clock of the file system that the files were written by."""
        probe = self._folder("new") / secrets.token_hex(16)
        probe.touch(0o600)
        try:
            return probe.stat().st_mtime
        finally:
            probe.unlink()


def in_words(size: int) -> str:
    """A size as one says it: "20 MB"."""
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")):
        if size >= unit:
            return f"{size / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{size} bytes"


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def sync(path: Path) -> None:
    """Of a file what it holds, of a folder which names stand in it: on disk when this returns."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _readable(error: OSError) -> Unavailable:
    if error.errno in _FULL:
        return NoRoom()
    return Unavailable(f"Files cannot be stored on this desk just now ({error.strerror}). Nothing was stored.", 30)
