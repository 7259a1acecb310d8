"""How long it takes from the key to the next ticket's words: held already, and over a line of 40 ms there and back.

The figures are printed (`pytest -s`). What the clock says depends on who else uses the machine, so what is asserted is
what the page itself did: the work of its main thread, and that nothing is asked for again that is held.
"""

import statistics

import pytest
from playwright.async_api import Browser, CDPSession, Page

from tests.journeys.test_console import Office, browser, come_in, office, patience

__all__ = ["browser", "office"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
COUNT, RTT = 12, 40
BUDGET = 0.100  # seconds of main thread, for a ticket that is held

# From the key to the frame in which the other ticket's words are drawn.
SWITCH = """
(key) => new Promise((done) => {
  const log = () => document.querySelector('[role=log]')?.textContent ?? '', before = log(), began = performance.now();
  const how = { key, code: `Key${key}`, shiftKey: true, bubbles: true, cancelable: true };
  document.dispatchEvent(new KeyboardEvent('keydown', how));
  const look = () => requestAnimationFrame(() => {
    if (log() !== before && /number \\d+ word/.test(log())) done(performance.now() - began);
    else look();
  });
  look();
})
"""


async def busy(cdp: CDPSession) -> float:
    """Seconds that the page's main thread has worked so far."""
    metrics = (await cdp.send("Performance.getMetrics"))["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


async def through(page: Page, cdp: CDPSession, key: str, pause: int) -> tuple[list[float], list[float]]:
    """(milliseconds by the clock, seconds of main thread) of each switch."""
    walls, works = [], []
    for _ in range(COUNT - 1):
        before = await busy(cdp)
        walls.append(float(await page.evaluate(SWITCH, key)))
        works.append(await busy(cdp) - before)
        await page.wait_for_timeout(pause)
    return walls, works


def say(what: str, walls: list[float], works: list[float]) -> None:
    middle, worst, work = statistics.median(walls), max(walls), statistics.median(works) * 1_000
    print(f"ticket switch, {what}: median {middle:.0f} ms, worst {worst:.0f} ms; main thread {work:.0f} ms")


async def test_the_next_ticket_is_there_before_one_looks(office: Office, browser: Browser) -> None:
    numbers = [await office.ticket(f"number {n} word " * 8, f"Customer {n}") for n in range(COUNT)]
    for number in numbers:
        await office.ask("POST", f"/tickets/{number}/note", {"text": f"A note of number {number} word"})
    page, said = await come_in(office, browser, f"/inbox/{numbers[-1]}")
    await page.get_by_role("log").get_by_text("word").first.wait_for()
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Performance.enable")
    await cdp.send("Network.enable")
    await page.wait_for_timeout(1_000)

    line = {"offline": False, "latency": RTT, "downloadThroughput": -1, "uploadThroughput": -1}
    await cdp.send("Network.emulateNetworkConditions", line)
    say(f"{RTT} ms there and back, as fast as one presses", *await through(page, cdp, "J", 0))

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    walls, works = await through(page, cdp, "K", 100)
    say("held", walls, works)
    threads = [url for url in asked if "/api/v1/tickets/" in url and "/read" not in url and "/events" not in url]
    assert threads == [], "what is held is not asked for again"
    assert statistics.median(works) <= BUDGET * patience()
    assert said == []
