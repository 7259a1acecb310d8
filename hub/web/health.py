"""GET /healthz, which walks the path from a write to the stream, and GET /metrics for Prometheus."""

import asyncio
import hmac
import ipaddress
import resource
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from hub.db import figures
from hub.db.tx import Rx
from hub.desk import outbox
from hub.errors import Refusal, not_found
from hub.web.figures import HTTP
from hub.web.keys import DESK, Desk

FIGURES_FRESH_SECONDS: Final = 5.0
_PROXY_HEADERS: Final = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"


async def healthz(request: web.Request) -> web.Response:
    """200 when a write reached the stream in time, else 503. Checked at most once a second, whoever asks."""
    desk = request.app[DESK]
    health = await desk.probe.check()
    answer: dict[str, Any] = {
        "status": "ok" if health.ok else "failing",
        "database": desk.store.backend.name,
        "write_ms": health.write_ms,
        "stream_ms": health.stream_ms,
        "waiting": desk.store.waiting(),
    }
    if health.problem:
        answer["problem"] = health.problem
    if health.ok:
        answer |= await desk.store.read(_queue)
    return web.Response(
        status=200 if health.ok else 503, body=msgspec.json.encode(answer), content_type="application/json"
    )


def _queue(rx: Rx) -> dict[str, Any]:
    return {"oldest_job_seconds": figures.oldest_job_ms(rx) // 1000, "frozen": outbox.is_frozen(rx)}


async def metrics(request: web.Request) -> web.Response:
    desk = request.app[DESK]
    _require_reader(request, desk.config.metrics_token)
    machinery = await _machinery(desk)
    # The library is imported with the first question, and reads /proc: both in a thread.
    body = await asyncio.to_thread(_render, desk, machinery)
    return web.Response(body=body, headers={"Content-Type": _FORMAT})


def _require_reader(request: web.Request, token: str) -> None:
    """Whoever has the token; without one, who sits at this machine and did not come through a proxy."""
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
            raise Refusal("unauthenticated", "Send the metrics token as Authorization: Bearer …")
        return
    peer = request.transport.get_extra_info("peername") if request.transport else None
    local = isinstance(peer, tuple) and ipaddress.ip_address(peer[0]).is_loopback
    if not local or any(name in request.headers for name in _PROXY_HEADERS):
        raise not_found("page")


_machinery_known: dict[int, tuple[float, figures.Machinery]] = {}


async def _machinery(desk: Desk) -> figures.Machinery:
    """At most one look every few seconds, however many ask."""
    known = _machinery_known.get(id(desk))
    if known and time.monotonic() - known[0] < FIGURES_FRESH_SECONDS:
        return known[1]
    found = await desk.store.read(figures.machinery)
    _machinery_known.clear()
    _machinery_known[id(desk)] = (time.monotonic(), found)
    return found


def _render(desk: Desk, machinery: figures.Machinery) -> bytes:
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(desk, machinery))
    return generate_latest(registry)


class _Collector:
    def __init__(self, desk: Desk, machinery: figures.Machinery) -> None:
        self._desk, self._machinery = desk, machinery

    def collect(self) -> Iterator[Any]:
        store, now = self._desk.store, self._machinery
        yield _counter("parley_units", "Units of work written", [((), store.figures.units)])
        yield _counter("parley_batches", "Transactions they were written in", [((), store.figures.batches)])
        yield _counter("parley_units_failed", "Units that were rolled back", [((), store.figures.failed)])
        yield _counter("parley_units_refused", "Units turned away, too many waiting", [((), store.figures.refused)])
        yield _counter("parley_units_slow", "Units that took longer than 50 ms", [((), store.figures.slow)])
        yield _gauge("parley_units_waiting", "Units waiting for the writer", [((), store.waiting())])
        yield _gauge("parley_event_tail", "The last event that was handed on", [((), self._desk.stream.tail)])
        yield _gauge("parley_jobs_ready", "Jobs to be run, by lane", _by(now.jobs), ("lane",))
        done = self._desk.runner.worker.figures
        yield _counter("parley_jobs_done", "Jobs that ended well, by lane", _lanes(done.done), ("lane",))
        yield _counter("parley_jobs_retried", "Jobs put back, by lane", _lanes(done.retried), ("lane",))
        yield _gauge("parley_jobs_running", "Jobs being run", [((), now.running)])
        yield _gauge("parley_jobs_dead", "Jobs that failed for good", [((), now.dead)])
        yield _gauge("parley_job_oldest_seconds", "Due longest", [((), now.oldest_job_ms / 1000)])
        yield _gauge("parley_deliveries_unended", "Not at their end for more than a day", [((), now.unended)])
        yield _gauge("parley_deliveries", "Deliveries under way, by state", _by(now.deliveries), ("state",))
        yield _gauge("parley_inbound_quarantined", "Kept because not understood", [((), now.quarantined)])
        yield _counter(
            "parley_http_requests",
            "Requests by route, method and status",
            [((route, method, str(status)), n) for (route, method, status), n in list(HTTP.requests.items())],
            ("route", "method", "status"),
        )
        used = resource.getrusage(resource.RUSAGE_SELF)
        yield _counter("process_cpu_seconds", "Processor time used", [((), used.ru_utime + used.ru_stime)])
        yield _gauge("process_resident_memory_bytes", "Memory in use", [((), _resident())])


_Samples = Iterable[tuple[tuple[str, ...], float]]


def _by(counts: dict[str, int]) -> _Samples:
    return [((name,), n) for name, n in counts.items()]


def _lanes(counts: Mapping[int, int]) -> _Samples:
    return [((figures.LANES[lane],), n) for lane, n in list(counts.items())]


def _counter(name: str, help: str, samples: _Samples, labels: tuple[str, ...] = ()) -> Any:
    from prometheus_client.core import CounterMetricFamily

    return _filled(CounterMetricFamily(name, help, labels=labels), samples)


def _gauge(name: str, help: str, samples: _Samples, labels: tuple[str, ...] = ()) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    return _filled(GaugeMetricFamily(name, help, labels=labels), samples)


def _filled(family: Any, samples: _Samples) -> Any:
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _resident() -> int:
    """Bytes; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0
