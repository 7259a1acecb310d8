"""Dovecot and Postfix of Debian, started for a test in a folder of its own, on free ports and with no mail but its own.

Dovecot runs as whoever runs the tests; passwords stand in a file, tokens are asked for at the fake authorisation server
(RFC 7662). Postfix wants root to start its daemons, so without it the tests that need it are skipped.
"""

import asyncio
import contextlib
import getpass
import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

DOVECOT = shutil.which("dovecot") or ("/usr/sbin/dovecot" if os.path.exists("/usr/sbin/dovecot") else None)
POSTFIX = "/usr/sbin/postfix" if os.path.exists("/usr/sbin/postfix") else None
PASSWORD = "a password of the tests"

_DOVECOT = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
info_log_path = {folder}/dovecot.log
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
first_valid_uid = 0
mail_location = maildir:{folder}/mail/%n
mail_access_groups =
mail_privileged_group =
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
  mechanisms = plain login
}}
{oauth}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%n
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Orders {{
    auto = create
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service auth {{
  user = {user}
  inet_listener {{
    address = 127.0.0.1
    port = {sasl}
  }}
}}
service auth-worker {{
  user = {user}
}}
service stats {{
  chroot =
}}
"""
_OAUTH_PASSDB = """passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth.conf
}}"""
_OAUTH = """introspection_url = http://127.0.0.1:{port}/introspect?token=
introspection_mode = get
username_attribute = email
active_attribute = active
active_value = true
"""
_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = {owner}
setgid_group = {setgid}
default_privs = nobody
myhostname = mail.shop.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C
recipient_delimiter = +
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = shop.example, customer.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ {{help@shop.example=help/}}, {{eve@customer.example=eve/}} }}
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
mynetworks = 127.0.0.0/8
smtputf8_enable = yes
"""
_MASTER = """
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
smtp unix - - n - - smtp
postlog unix-dgram n - n - 1 postlogd
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class MailServer:
    folder: Path
    imap: int
    smtp: int = 0
    uid: int = -1  # whose the mail is
    gid: int = -1

    def put(self, raw: bytes, user: str = "help") -> None:
        """Into the mailbox, as a delivery would."""
        new = self.folder / "mail" / user / "new"
        for one in (new.parent, new, new.parent / "cur", new.parent / "tmp"):
            one.mkdir(parents=True, exist_ok=True)
            os.chown(one, self.uid, self.gid)
        held = new.parent / "tmp" / f"{os.urandom(8).hex()}.test"
        held.write_bytes(raw)
        os.chown(held, self.uid, self.gid)
        held.rename(new / held.name)

    def renumber(self, user: str = "help") -> None:
        """Dovecot forgets its numbers: a new UIDVALIDITY."""
        for path in (self.folder / "mail" / user).glob("dovecot*"):
            path.unlink()

    def mails(self, user: str) -> list[bytes]:
        box = self.folder / "mail" / user
        return [path.read_bytes() for name in ("new", "cur") for path in sorted((box / name).glob("*"))]


@contextlib.asynccontextmanager
async def mail_server(*, postfix: bool = False, oauth_port: int | None = None) -> AsyncIterator[MailServer]:
    """Skips the test in a word where it cannot be had."""
    if DOVECOT is None:
        pytest.skip("Dovecot is not installed (apt-get install dovecot-imapd)")
    if postfix and POSTFIX is None:
        pytest.skip("Postfix is not installed (apt-get install postfix)")
    if postfix and os.geteuid() != 0:
        pytest.skip("Postfix starts its daemons only as root")
    with tempfile.TemporaryDirectory(prefix="parley-mail-", ignore_cleanup_errors=True) as name:
        # Not where pytest keeps things: it closes its folders to everybody else, and these daemons are somebody else.
        async with _started(DOVECOT, Path(name), postfix=postfix, oauth_port=oauth_port) as server:
            yield server


@contextlib.asynccontextmanager
async def _started(dovecot: str, folder: Path, *, postfix: bool, oauth_port: int | None) -> AsyncIterator[MailServer]:
    user, ids = getpass.getuser(), os.getuid()
    server, sasl = MailServer(folder, free_port()), free_port()
    for name in ("mail", "run", "state"):
        (folder / name).mkdir()
    (folder / "users").write_text(
        "".join(f"{one}:{PASSWORD}\n" for one in ("help@shop.example", "eve@customer.example"))
    )
    oauth = ""
    if oauth_port is not None:
        (folder / "oauth.conf").write_text(_OAUTH.format(port=oauth_port))
        oauth = _OAUTH_PASSDB.format(folder=folder)
    # Dovecot's sign-in must not run as root, so as root it gets accounts that every Debian has.
    as_root = ids == 0
    internal, login = ("daemon", "nobody") if as_root else (user, user)
    group = grp.getgrgid(pwd.getpwnam(internal).pw_gid).gr_name
    owner = pwd.getpwnam(internal)
    server.uid, server.gid = owner.pw_uid, owner.pw_gid
    os.chown(folder / "mail", server.uid, server.gid)
    if as_root:
        _open(folder)
    conf = folder / "dovecot.conf"
    conf.write_text(
        _DOVECOT.format(
            folder=folder,
            user=user,
            internal=internal,
            login=login,
            group=group,
            uid=server.uid,
            gid=server.gid,
            imap=server.imap,
            sasl=sasl,
            oauth=oauth,
        )
    )
    mailboxes = await asyncio.create_subprocess_exec(
        dovecot, "-F", "-c", str(conf), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    master = None
    try:
        await _listening(server.imap, folder / "dovecot.log")
        if postfix:
            server.smtp = free_port()
            master = await _postfix(folder, server.smtp, sasl, server.uid, server.gid)
        yield server
    finally:
        for process in (master, mailboxes):
            if process is not None and process.returncode is None:
                process.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 5)


def _open(folder: Path) -> None:
    """Daemons that give their rights away still have to get there."""
    folder.chmod(0o711)


async def _postfix(folder: Path, port: int, sasl: int, uid: int, gid: int) -> asyncio.subprocess.Process:
    names = {one.pw_name for one in pwd.getpwall()}
    owner = "postfix" if "postfix" in names else "daemon"
    groups = {one.gr_name for one in grp.getgrall()}
    setgid = "postdrop" if "postdrop" in groups else "games"
    conf = folder / "postfix"
    conf.mkdir()
    (conf / "main.cf").write_text(_MAIN.format(folder=folder, owner=owner, setgid=setgid, sasl=sasl, uid=uid, gid=gid))
    (conf / "master.cf").write_text(_MASTER.format(port=f"127.0.0.1:{port}"))
    found = pwd.getpwnam(owner)
    (folder / "data").mkdir()
    os.chown(folder / "data", found.pw_uid, found.pw_gid)
    spool = folder / "spool"
    spool.mkdir()
    for name in (
        "active",
        "bounce",
        "corrupt",
        "defer",
        "deferred",
        "flush",
        "hold",
        "incoming",
        "private",
        "saved",
        "trace",
    ):
        (spool / name).mkdir()
        os.chown(spool / name, found.pw_uid, -1)
    for name in ("maildrop", "public"):
        (spool / name).mkdir()
        os.chown(spool / name, found.pw_uid, grp.getgrnam(setgid).gr_gid)
    (spool / "pid").mkdir()
    master = await asyncio.create_subprocess_exec(
        "/usr/lib/postfix/sbin/master", "-c", str(conf), "-d", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    await _listening(port, folder / "postfix.log")
    return master


async def _listening(port: int, log: Path) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError(log.read_text()[-2_000:] if log.exists() else "it does not start and says nothing")
