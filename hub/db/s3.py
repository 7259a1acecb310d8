"""The same contents in a bucket of an S3 store (AWS, MinIO, Ceph …), by PARLEY_FILES=s3://bucket/prefix.

The folder is then a cache: what is written goes to the bucket first and then into the folder, what is read comes from
the bucket once. Requests are signed by AWS Signature Version 4. Everything here waits for the network: for threads.
"""

import hashlib
import hmac
import http.client
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import msgspec

from hub.db.contents import PREVIEW, Contents, Writing
from hub.errors import Unavailable

SCHEME: Final = "s3://"
SECONDS: Final = 60.0
NOTHING: Final = hashlib.sha256(b"").hexdigest()
HOUR_MS: Final = 3_600_000
_SPACE: Final = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_OBJECT: Final = re.compile(r"([0-9a-f]{64})$")


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """`endpoint`: https://s3.eu-central-1.amazonaws.com; the bucket stands in the path."""

    endpoint: str
    region: str
    bucket: str
    prefix: str
    key: str
    secret: str

    def __repr__(self) -> str:
        return f"<Where s3://{self.bucket}/{self.prefix} at {self.endpoint}>"


class Options(Protocol):
    """What of hub.config is read here."""

    @property
    def files_folder(self) -> Path: ...
    @property
    def files(self) -> str: ...
    @property
    def s3_endpoint(self) -> str: ...
    @property
    def s3_region(self) -> str: ...
    @property
    def s3_key(self) -> str: ...
    @property
    def s3_secret(self) -> str: ...


def contents_of(options: Options, now: Callable[[], int]) -> Contents:
    """The folder, or the bucket with the folder as its cache. `now`: milliseconds."""
    if not options.files.startswith(SCHEME):
        return Contents(options.files_folder)
    bucket, _, prefix = options.files.removeprefix(SCHEME).partition("/")
    where = Where(
        endpoint=options.s3_endpoint.rstrip("/"),
        region=options.s3_region,
        bucket=bucket,
        prefix=prefix.strip("/"),
        key=options.s3_key,
        secret=options.s3_secret,
    )
    return Bucket(options.files_folder, where, now)


class Bucket(Contents):
    def __init__(self, cache: Path, where: Where, now: Callable[[], int]) -> None:
        super().__init__(cache)
        self._where, self._now = where, now

    def __repr__(self) -> str:
        return f"<Bucket {self._where!r}>"

    def keep(self, writing: Writing) -> str:
        try:
            writing.sync()
            self._put(writing.sha256, writing.path, writing.sha256)
        except BaseException:
            self.drop(writing)
            raise
        return super().keep(writing)

    def keep_preview(self, sha256: str, preview: bytes) -> None:
        super().keep_preview(sha256, preview)
        self._put(sha256 + PREVIEW, self.preview(sha256), hashlib.sha256(preview).hexdigest())

    def take_in(self, source: Path, sha256: str, preview: Path | None) -> None:
        self._put(sha256, source, sha256)
        super().take_in(source, sha256, None)
        if preview is not None:
            self.keep_preview(sha256, preview.read_bytes())

    def ensure(self, sha256: str) -> bool:
        return super().ensure(sha256) or self._fetch(sha256, self.path(sha256))

    def ensure_preview(self, sha256: str) -> bool:
        return super().ensure_preview(sha256) or self._fetch(sha256 + PREVIEW, self.preview(sha256))

    def size_of(self, sha256: str) -> int | None:
        status, headers, _ = self._ask("HEAD", self._path(sha256))
        return int(headers.get("content-length", 0)) if status == 200 else None

    def old(self) -> list[str]:
        before = self._now() - HOUR_MS
        return [name for name, at in self._listed() if at < before]

    def remove(self, sha256: str) -> bool:
        status, headers, _ = self._ask("HEAD", self._path(sha256))
        if status == 200 and _ms(parsedate_to_datetime(headers["last-modified"])) >= self._now() - HOUR_MS:
            return False  # written once more just now
        self._ask("DELETE", self._path(sha256))
        self._ask("DELETE", self._path(sha256 + PREVIEW))
        self._forget(sha256)
        return True

    def sweep_new(self) -> int:
        """And what has lain in the cache for a day: it can be had again."""
        before = self._moment() - 86_400
        for name, path in list(self.all()):
            if path.stat().st_mtime < before:
                self._forget(name)
        return super().sweep_new()

    # --- requests ----------------------------------------------------------------------------------------------------

    def _path(self, name: str) -> str:
        prefix = f"{self._where.prefix}/" if self._where.prefix else ""
        return quote(f"/{self._where.bucket}/{prefix}{name}", safe="/-_.~")

    def _put(self, name: str, source: Path, sha256: str) -> None:
        with source.open("rb") as file:
            status, _, body = self._ask("PUT", self._path(name), sha256=sha256, size=source.stat().st_size, file=file)
        if status != 200:
            raise _failed(status, body)

    def _fetch(self, name: str, to: Path) -> bool:
        status, _, body = self._ask("GET", self._path(name))
        if status == 404:
            return False
        if status != 200:
            raise _failed(status, body)
        self._place(to, body)
        return True

    def _listed(self) -> Iterator[tuple[str, int]]:
        more = ""
        while True:
            prefix = f"{self._where.prefix}/" if self._where.prefix else ""
            asked = {"list-type": "2", "prefix": prefix, **({"continuation-token": more} if more else {})}
            status, _, body = self._ask("GET", f"/{self._where.bucket}", query=asked)
            if status != 200:
                raise _failed(status, body)
            root = ElementTree.fromstring(body)
            for one in root.iter(f"{_SPACE}Contents"):
                name = _OBJECT.search(one.findtext(f"{_SPACE}Key") or "")
                at = one.findtext(f"{_SPACE}LastModified")
                if name is not None and at:
                    yield name[1], _ms(datetime.fromisoformat(at.replace("Z", "+00:00")))
            more = root.findtext(f"{_SPACE}NextContinuationToken") or ""
            if not more:
                return

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        sha256: str = NOTHING,
        size: int = 0,
        file: object = None,
    ) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(self._where.endpoint)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        asked = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted((query or {}).items()))
        headers = sign(self._where, self._now(), method, parts.netloc, path, asked, sha256)
        if file is not None:
            headers["Content-Length"] = str(size)
        connection = kind(parts.netloc, timeout=SECONDS)
        try:
            connection.request(method, path + (f"?{asked}" if asked else ""), body=file, headers=headers)  # type: ignore[arg-type]
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"The store for files does not answer ({type(error).__name__}).", 30) from error
        finally:
            connection.close()


def sign(where: Where, now: int, method: str, host: str, path: str, query: str, sha256: str) -> dict[str, str]:
    """The headers that prove who asks (AWS Signature Version 4); `path` and `query` as they stand in the request."""
    at = datetime.fromtimestamp(now / 1000, UTC)
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    named = "host;x-amz-content-sha256;x-amz-date"
    head = f"host:{host}\nx-amz-content-sha256:{sha256}\nx-amz-date:{stamp}\n"
    request = "\n".join((method, path, query, head, named, sha256))
    scope = f"{day}/{where.region}/s3/aws4_request"
    said = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{where.secret}".encode()
    for part in (day, where.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, said.encode(), "sha256").hexdigest()
    return {
        "Host": host,
        "x-amz-content-sha256": sha256,
        "x-amz-date": stamp,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={where.key}/{scope}, SignedHeaders={named}, "
        f"Signature={signature}",
    }


def _failed(status: int, body: bytes) -> Unavailable:
    code = re.search(rb"<Code>(\w{1,60})</Code>", body[:4_000])
    said = f" {code[1].decode()}" if code else ""
    return Unavailable(f"The store for files answers with {status}{said}. Nothing was stored.", 30)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
