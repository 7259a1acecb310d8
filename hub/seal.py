"""Seals inbox secrets at rest (AES-256-GCM) with the keys of the key file; used by hub.desk.inboxes and hub.app.

The key file has one key a line, newest first: the first seals, all of them open. So keys rotate by putting a new line
on top. A sealed value is `s1.<which key>.<nonce and ciphertext>`, bound to what it belongs to (`about`).
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hub.errors import ParleyError, StartRefused

VERSION: Final = "s1"
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class SealBroken(ParleyError):
    """A sealed value cannot be opened; the text says what to do and shows nothing of it."""


class Sealer:
    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys`: 32 bytes each, the first one seals."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a sealer needs at least one key, each of {KEY_BYTES} bytes")
        self._keys = {_name(key): key for key in keys}
        self._sealing = _name(keys[0])

    def __repr__(self) -> str:
        return f"<Sealer {self._sealing}, {len(self._keys)} keys>"

    @classmethod
    def random(cls) -> "Sealer":
        return cls([os.urandom(KEY_BYTES)])

    @classmethod
    def from_file(cls, path: Path) -> "Sealer":
        """Reads the key file, or says in a StartRefused what is wrong with it."""
        try:
            mode = path.stat().st_mode
            lines = path.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise StartRefused(
                f"Cannot read the key file {path}: {error}", "It holds the keys to the inboxes' secrets."
            ) from None
        if mode & 0o007:
            raise StartRefused(f"Everybody on this machine may read the key file {path}.", f"chmod 600 {path}")
        try:
            return cls([base64.b64decode(line, validate=True) for line in lines])
        except (ValueError, binascii.Error):
            raise StartRefused(
                f"The key file {path} is not one of ours.",
                f"It has one key a line, {KEY_BYTES} random bytes in base64, the newest on top.",
            ) from None

    def seal(self, text: str, about: str) -> str:
        """`about` says whose secret it is: sealed for one place, it opens in no other."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + AESGCM(self._keys[self._sealing]).encrypt(nonce, text.encode(), about.encode())
        return f"{VERSION}.{self._sealing}.{base64.b64encode(sealed).decode()}"

    def open(self, sealed: str, about: str) -> str:
        """The text again; SealBroken for a missing key, another place, or a value that was altered."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        version, _, rest = sealed.partition(".")
        name, _, coded = rest.partition(".")
        if version != VERSION:
            raise SealBroken("This secret was sealed by a newer version of Parley. Enter it again, or update.")
        key = self._keys.get(name)
        if key is None:
            raise SealBroken(
                f"This secret was sealed with key {name}, which is not in the key file. "
                "Put that key back (below the others), or enter the secret again."
            )
        try:
            raw = base64.b64decode(coded, validate=True)
            return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise SealBroken("This secret was altered in the database. Enter it again.") from None

    def derive(self, about: str) -> bytes:
        """A key for signing what strangers carry back, by the newest key: with a new one on top, old signatures end."""
        return hashlib.blake2s(about.encode(), key=self._keys[self._sealing], person=b"derived").digest()

    def is_current(self, sealed: str) -> bool:
        """False: sealed with an older key, so it should be sealed anew."""
        return sealed.startswith(f"{VERSION}.{self._sealing}.")


def create_key_file(path: Path) -> None:
    """Writes a new key file that only its owner can read. Refuses where there is one already: it would be lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.write(base64.b64encode(os.urandom(KEY_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _name(key: bytes) -> str:
    """By which a key is recognised; says nothing about it."""
    return hashlib.blake2s(key, person=b"key name", digest_size=4).hexdigest()
