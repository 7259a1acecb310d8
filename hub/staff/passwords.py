"""Passwords: which are taken, and argon2id in two threads of its own. Called by `hub.staff.signin` and the CLI.

A hash costs 64 MiB and about a tenth of a second, so at most two are made at a time; they are made outside of units.
"""

import asyncio
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from hub.errors import Unavailable, invalid
from hub.text import fold, is_blank

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST: Final = 12
MOST: Final = 256
MAX_WAITING: Final = 100
T = TypeVar("T")

# What is tried first wherever sign-ins are guessed, of what is long enough to pass: letters and digits only, folded.
_COMMON_TEXT: Final = """
    adminadmin123 adminadminadmin administrator administrator1 administrator123 changemechangeme changeme12345
    correcthorsebatterystaple customerservice customersupport defaultpassword dontforgetme helpdesk1234 helpdesk12345
    helpdeskhelpdesk iloveyou1234 iloveyou12345 iloveyouforever iloveyousomuch letmein12345 letmein123456 letmeinplease
    letmeinletmein liverpoolfc123 manchesterunited masterpassword monkey123456 mypassword123 mypassword1234 newpassword1
    newpassword123 nopassword123 p4ssw0rdp4ssw0rd pa55word1234 pass12345678 passpasspass passw0rd1234 passw0rd12345
    password0123 password1234 password12345 password123456 password1234567 password12345678 password123456789
    passwordpassword princess1234 qazwsxedcrfv qwerty123456 qwerty1234567 qwerty12345678 qwertyqwerty qwertyuiop123
    qwertyuiop1234 qwertyuiopasdf secretpassword secret123456 startrek1234 starwars1234 summer2024summer sunshine1234
    superman1234 support12345 support123456 supportsupport temporary1234 temppassword testpassword testpassword1
    testtesttest thisismypassword trustno1trustno1 unknownpassword welcome12345 welcome123456 welcomewelcome
    winter2024winter yourpassword zaq12wsxcde3 zaq1zaq1zaq1 1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv qwer1234qwer
    asdf1234asdf abcd1234abcd abc123abc123 aaa111bbb222 trustno1forever
"""
_COMMON: Final = frozenset(_COMMON_TEXT.split())
_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "01234567890123456789012345678901234567890",
    "qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjklzxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "qwertzuiopasdfghjklyxcvbnm",
    "1234567890qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
)


def check(password: str, *, about: Iterable[str] = (), field: str = "password") -> None:
    """Refuses what is too short, too long or among the first that anybody would try.

    `about`: the person's address and name and the firm's name; a password that is little else is refused. Which
    characters it is made of is nobody's business.
    """
    password = _normal(password)
    if any("\ud800" <= c <= "\udfff" for c in password):
        raise invalid(field, "This has a character that cannot be stored. Take it out and try again.")
    if len(password) < LEAST or is_blank(password):
        raise invalid(field, f"Use at least {LEAST} characters. A few words in a row are easy to remember.")
    if len(password) > MOST:
        raise invalid(field, f"Use at most {MOST} characters.")
    bare = _bare(password)
    if bare in _COMMON or len(set(password.casefold())) < 5 or _is_pattern(bare):
        raise invalid(field, "This is one of the first that anybody would try. Choose another.")
    for word in _words(about):
        if word in bare and len(bare) - len(word) < 8:
            raise invalid(field, "This is little more than your name, your address or the firm's name. Choose another.")


async def hash_password(password: str) -> str:
    """The hash as it is stored, its parameters within."""
    return await _in_thread(lambda: _hasher().hash(_bytes(password)))


async def verify(stored: str | None, password: str) -> bool:
    """Whether it is that password. Without a stored one the same work is done, against a hash that nothing opens."""
    return await _in_thread(lambda: _verify(stored, password))


def is_outdated(stored: str) -> bool:
    """Made with other parameters than today's: to be made anew at the next sign-in."""
    return _hasher().check_needs_rehash(stored)


_hashers: list["PasswordHasher"] = []
_dummies: list[str] = []
_threads: list[ThreadPoolExecutor] = []
_waiting = 0


def _hasher() -> "PasswordHasher":
    if not _hashers:
        from argon2 import PasswordHasher, Type  # not before somebody signs in

        _hashers.append(PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, type=Type.ID))
    return _hashers[0]


def _verify(stored: str | None, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    if not _dummies:
        _dummies.append(_hasher().hash("nobody has this one"))
    try:
        _hasher().verify(stored or _dummies[0], _bytes(password))
    except (InvalidHashError, VerificationError):
        return False
    return stored is not None


async def _in_thread(work: Callable[[], T]) -> T:
    global _waiting
    if not _threads:
        _threads.append(ThreadPoolExecutor(2, thread_name_prefix="argon2"))
    if _waiting >= MAX_WAITING:
        raise Unavailable("Too many people are signing in just now. Try again in a moment.")
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads[0], work)
    finally:
        _waiting -= 1


def _normal(password: str) -> str:
    """One password however a keyboard composes its letters (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    """For the hash, whatever was sent: what cannot be a password is wrong, and not an error."""
    return _normal(password).encode("utf-8", "surrogatepass")


def _bare(text: str) -> str:
    return "".join(c for c in fold(text) if c.isalnum())


def _is_pattern(bare: str) -> bool:
    """A walk along the keyboard, the alphabet or the digits, or a short piece over and over."""
    if any(bare in row or bare in row[::-1] for row in _ROWS):
        return True
    return any(bare == (bare[:n] * len(bare))[: len(bare)] for n in range(1, min(4, len(bare) // 3) + 1))


def _words(about: Iterable[str]) -> set[str]:
    found = set()
    for text in about:
        local = text.partition("@")[0]
        found |= {_bare(part) for part in (text, local, *local.split())}
    return {word for word in found if len(word) >= 4}
