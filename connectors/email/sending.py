"""Hands a letter to a server for submission (RFC 6409), and says what its answers mean.

Once the last dot of DATA was sent a lost answer says nothing: the letter may be on its way, so it is Unknown. Before
that, whatever breaks has certainly sent nothing.
"""

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING, Final

from connectors.email.render import Letter, one_line
from connectors.email.settings import EmailSettings
from connectors.email.words import unreachable
from hub.connector import Rejected, Retry, Unknown

if TYPE_CHECKING:
    import aiosmtplib

CONNECT_SECONDS: Final = 10.0
SECONDS: Final = 10.0  # for any one answer but the last
BEFORE_SECONDS: Final = 12.0  # until the letter itself begins: so long it is certain that nothing has left
LAST_SECONDS: Final = 60.0  # servers look for viruses before they answer DATA
BUSY: Final = 60.0  # how long the whole inbox waits where the server says that it is too much


class Refused(Exception):
    """An answer that is no yes. `whole`: it is about us, not about this letter."""

    def __init__(self, code: int, text: str, *, whole: bool = False) -> None:
        super().__init__(f"{code} {text}")
        self.code, self.text, self.whole = code, one_line(text)[:300], whole


async def submit(letter: Letter, settings: EmailSettings, token: str | None) -> tuple[str, ...]:
    """The addresses of `letter` that the server would not have, with its words; the others have it."""
    client = _client(settings)
    try:
        try:
            async with asyncio.timeout(BEFORE_SECONDS):
                await _open(client, settings, token)
                refused = await _address(client, letter)
        except TimeoutError:
            raise Retry(reason="Sending (SMTP): the mail server is too slow.") from None
        await _carry(client, letter)
        return refused
    except Refused as error:
        raise _judged(error) from None
    finally:
        client.close()


async def look_in(settings: EmailSettings, token: str | None) -> None:
    """Connects, signs in and says who would write; sends nothing."""
    import aiosmtplib

    client = _client(settings)
    try:
        await _open(client, settings, token)
        try:
            await client.mail(settings.address, timeout=SECONDS)  # may we write in this name?
        except aiosmtplib.SMTPResponseException as error:
            raise Refused(error.code, error.message) from None
        except (aiosmtplib.SMTPException, OSError, EOFError, TimeoutError) as error:
            raise Retry(reason=f"Sending (SMTP): {unreachable('the mail server', error)}") from None
        with contextlib.suppress(Exception):
            await client.quit(timeout=2)
    except Refused as error:
        raise _judged(error) from None
    finally:
        client.close()


def tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _client(settings: EmailSettings) -> "aiosmtplib.SMTP":
    import aiosmtplib

    servers = settings.servers
    return aiosmtplib.SMTP(
        hostname=servers.smtp_host,
        port=servers.smtp_port,
        timeout=CONNECT_SECONDS,
        use_tls=servers.smtp_security == "tls",
        start_tls=False,  # done below: it is required where it is set, and never merely tried
        local_hostname=settings.domain,
        tls_context=tls() if servers.smtp_security != "none" else None,
    )


async def _open(client: "aiosmtplib.SMTP", settings: EmailSettings, token: str | None) -> None:
    import aiosmtplib

    servers = settings.servers
    where = f"{servers.smtp_host}:{servers.smtp_port}"
    try:
        await client.connect()
        if servers.smtp_security == "starttls":
            await client.starttls()
        user = settings.smtp_user or settings.login
        if token is not None:
            await client.auth_xoauth2(user, token)
        elif settings.smtp_user != "-":
            password = settings.smtp_password or settings.password
            if not password:
                raise Rejected("Enter a password in the settings of this inbox.")
            await client.login(user, password)
    except aiosmtplib.SMTPAuthenticationError as error:
        raise Refused(error.code, error.message, whole=True) from None
    except aiosmtplib.SMTPResponseException as error:
        raise Refused(error.code, error.message, whole=True) from None
    except (aiosmtplib.SMTPException, OSError, EOFError, TimeoutError) as error:
        raise Retry(reason=f"Sending (SMTP): {unreachable(where, error)}") from None


async def _address(client: "aiosmtplib.SMTP", letter: Letter) -> tuple[str, ...]:
    """Says from whom and to whom; what the server says of the copies that it refuses."""
    import aiosmtplib

    refused: list[Refused] = []
    try:
        options = [f"size={len(letter.body)}"] if client.supports_extension("size") else []
        if client.supports_extension("8bitmime"):
            options.append("body=8bitmime")
        if letter.needs_utf8:
            if not client.supports_extension("smtputf8"):
                raise Rejected("An address has letters that this mail server cannot carry (no SMTPUTF8).")
            options.append("smtputf8")
        encoding = "utf-8" if letter.needs_utf8 else "ascii"
        try:
            await client.mail(letter.sender, options=options, encoding=encoding, timeout=SECONDS)
        except aiosmtplib.SMTPResponseException as error:
            if letter.sender:
                raise
            raise Refused(error.code, f"{error.message} (an empty sender)") from None
        for recipient in letter.recipients:
            try:
                await client.rcpt(recipient, encoding=encoding, timeout=SECONDS)
            except aiosmtplib.SMTPResponseException as error:
                refused.append(Refused(error.code, f"{recipient}: {error.message}"))
        # The first is whom the letter is for. Without them it is not sent to the others alone.
        first = next((one for one in refused if one.text.startswith(letter.recipients[0])), None)
        if first is not None or len(refused) == len(letter.recipients):
            raise first or refused[0]
        temporary = [one for one in refused if one.code < 500]
        if temporary:
            raise temporary[0]
    except aiosmtplib.SMTPResponseException as error:
        raise Refused(error.code, error.message, whole=error.code == 421) from None
    except (aiosmtplib.SMTPException, OSError, EOFError) as error:
        raise Retry(reason=f"Sending (SMTP): {unreachable('the mail server', error)}") from None
    return tuple(one.text for one in refused)


async def _carry(client: "aiosmtplib.SMTP", letter: Letter) -> None:
    """From here on a lost answer says nothing."""
    import aiosmtplib

    try:
        await client.data(letter.body, timeout=LAST_SECONDS)
    except aiosmtplib.SMTPResponseException as error:
        raise Refused(error.code, error.message, whole=error.code == 421) from None
    except (aiosmtplib.SMTPException, OSError, EOFError, TimeoutError):
        raise Unknown("The mail server took the letter and did not answer.") from None
    with contextlib.suppress(Exception):
        await client.quit(timeout=1)


def _judged(error: Refused) -> Retry | Rejected:
    said = f"The mail server says: {error.code} {error.text}"
    if error.code in (530, 534, 535, 538):
        why = f"The mail server does not let us in. {said}. Check user name and password in the settings."
        return Retry(BUSY, why, whole_account=True)
    if 400 <= error.code < 500 or error.code < 200:
        slow = error.code in (421, 450, 451, 452, 454) and error.whole
        return Retry(BUSY if slow else None, said, whole_account=error.whole)
    return Rejected(said)
