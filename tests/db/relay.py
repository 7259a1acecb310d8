"""A relay between a store and PostgreSQL that can cut the line at a chosen statement, or refuse to answer."""

import contextlib
import socket
import tempfile
import threading
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

NAME = ".s.PGSQL.5432"


class Relay:
    """Listens on a socket in a folder of its own; `url` leads through it."""

    def __init__(self, url: str) -> None:
        found = conninfo_to_dict(url)
        self._folder = tempfile.TemporaryDirectory(prefix="relay-")
        self._to = str(Path(str(found["host"])) / NAME)
        self.url = make_conninfo("", **{**found, "host": self._folder.name})
        self._wanted: bytes | None = None
        self._forward = False
        self._refusing = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> "Relay":
        self._listener.bind(str(Path(self._folder.name) / NAME))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut_all()
        self._folder.cleanup()

    def cut_at(self, text: bytes, *, forward: bool) -> None:
        """Once: cuts the line when `text` goes to the server, before or after the server has got it."""
        self._wanted, self._forward = text, forward

    def refuse(self) -> None:
        self._refusing = True
        self._cut_all()

    def accept(self) -> None:
        self._refusing = False

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._to)
            self._pairs.append((client, server))
            threading.Thread(target=self._copy, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client, False), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, to_server: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if to_server and self._wanted is not None and self._wanted in data:
                    self._wanted = None
                    source.shutdown(socket.SHUT_RDWR)
                    if self._forward:
                        # What the server answers finds nobody any more; it is waited for, so that it has happened.
                        target.sendall(data)
                        target.shutdown(socket.SHUT_WR)
                        return
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _cut_all(self) -> None:
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self._pairs.clear()
