"""A small S3 store over HTTP: it takes what is signed with its key, keeps objects in memory, and lists in pages."""

import hashlib
import hmac
import http.server
import re
import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from types import TracebackType
from urllib.parse import parse_qsl, unquote, urlsplit

KEY, SECRET, REGION = "AKEYOFTHETESTS", "a secret of the tests", "test-1"
PAGE = 2


class S3Store:
    """`objects`: path → (what it holds, since when). `broken`: a status that it answers everything with."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.broken = 0
        self.refused: list[str] = []
        self.now = datetime.now(UTC)
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                store.answer(self)

            do_GET = do_HEAD = do_DELETE = do_PUT

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "S3Store":
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: http.server.BaseHTTPRequestHandler) -> None:
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        parts = urlsplit(asked.path)
        if self.broken:
            return self._say(asked, self.broken, b"<Error><Code>SlowDown</Code></Error>")
        if not self._signed(asked, parts.path, parts.query, body):
            self.refused.append(asked.path)
            return self._say(asked, 403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        query = dict(parse_qsl(parts.query))
        if "list-type" in query:
            return self._say(asked, 200, self._list(parts.path, query))
        path = unquote(parts.path)
        if asked.command == "PUT":
            self.objects[path] = body, self.now
            return self._say(asked, 200, b"")
        if asked.command == "DELETE":
            self.objects.pop(path, None)
            return self._say(asked, 204, b"")
        found = self.objects.get(path)
        if found is None:
            return self._say(asked, 404, b"<Error><Code>NoSuchKey</Code></Error>")
        return self._say(asked, 200, found[0], found[1])

    def _say(
        self, asked: http.server.BaseHTTPRequestHandler, status: int, body: bytes, since: datetime | None = None
    ) -> None:
        asked.send_response(status)
        asked.send_header("Content-Length", str(len(body)))
        if since is not None:
            asked.send_header("Last-Modified", format_datetime(since, usegmt=True))
        asked.end_headers()
        if asked.command != "HEAD":
            asked.wfile.write(body)

    def _list(self, bucket: str, query: dict[str, str]) -> bytes:
        names = sorted(path for path in self.objects if path.startswith(f"{bucket}/{query['prefix']}"))
        start = int(query.get("continuation-token", "0"))
        page = names[start : start + PAGE]
        more = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if len(names) > start + PAGE else ""
        found = "".join(
            f"<Contents><Key>{path.removeprefix(bucket + '/')}</Key>"
            f"<LastModified>{self.objects[path][1].strftime('%Y-%m-%dT%H:%M:%S.000Z')}</LastModified></Contents>"
            for path in page
        )
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        return f'<ListBucketResult xmlns="{space}">{found}{more}</ListBucketResult>'.encode()

    def _signed(self, asked: http.server.BaseHTTPRequestHandler, path: str, query: str, body: bytes) -> bool:
        """Worked out anew, as the documentation of the protocol has it."""
        told = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/s3/aws4_request, "
            r"SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})",
            asked.headers.get("Authorization", ""),
        )
        if told is None or (told[1], told[3]) != (KEY, REGION):
            return False
        if hashlib.sha256(body).hexdigest() != asked.headers["x-amz-content-sha256"]:
            return False
        heads = "".join(f"{name}:{asked.headers[name]}\n" for name in told[4].split(";"))
        request = f"{asked.command}\n{path}\n{query}\n{heads}\n{told[4]}\n{asked.headers['x-amz-content-sha256']}"
        scope = f"{told[2]}/{REGION}/s3/aws4_request"
        text = (
            f"AWS4-HMAC-SHA256\n{asked.headers['x-amz-date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        )
        key = f"AWS4{SECRET}".encode()
        for part in (told[2], REGION, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(hmac.new(key, text.encode(), "sha256").hexdigest(), told[5])
