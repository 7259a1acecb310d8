"""A visitor sends a photo and a voice note, an agent looks, listens, captions it, and sends files back: in two real
browsers, with a made-up microphone, on a site of another origin under a strict policy."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, FilePayload, Page, async_playwright, expect

from tests.journeys.chat_desk import CHROMIUM, ChatDesk, Visit, site, visit
from tests.journeys.conftest import ARGUMENTS

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("PARLEY_TEST_PICTURES")  # a folder: what it looked like is kept there


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    microphone = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *microphone])
        yield found
        await found.close()


def photo(colour: str = "teal", size: tuple[int, int] = (1_200, 900)) -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", size, colour)
    exif = Image.Exif()
    exif[0x010F] = "A camera that tells"
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


async def console(desk: ChatDesk, browser: Browser) -> Page:
    """The newest ticket, as an agent has it before them."""
    number = (await desk.ask("GET", "/tickets?view=open"))["items"][0]["number"]
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, permissions=["microphone"])
    name, _, value = desk.session.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": desk.url}])
    page = await context.new_page()
    await page.goto(f"{desk.url}/inbox/{number}")
    return page


async def shot(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


async def attach(tab: Visit, *files: tuple[str, str, bytes]) -> None:
    chosen: list[FilePayload] = [{"name": name, "mimeType": kind, "buffer": data} for name, kind, data in files]
    await tab.chat.locator("input[type=file]").set_input_files(chosen)


async def test_a_visitors_photo_and_voice_note_and_what_comes_back(desk: ChatDesk, browser: Browser, shop: str) -> None:
    tab = await visit(browser, shop, permissions=["microphone"])
    await tab.open()
    await attach(tab, ("kettle.jpg", "image/jpeg", photo()))
    tray = tab.chat.locator(".tray li")
    await expect(tray).to_have_class("there")
    await expect(tray.locator("img")).to_be_visible()
    await tab.say("Look at this kettle")
    await expect(tab.bubble("Look at this kettle").locator(".picture img")).to_be_visible()
    await expect(tray).to_have_count(0)

    await tab.chat.get_by_role("button", name="Record a voice note").click()
    await expect(tab.chat.get_by_role("timer")).to_have_text("0:01", timeout=10_000)
    await shot(tab.page, "visitor-records")
    await tab.chat.get_by_role("button", name="Done").click()
    await expect(tray).to_have_class("there")
    await tab.chat.get_by_role("button", name="Send").click()
    sound = tab.chat.locator(".message .sound")
    await expect(sound).to_be_visible()
    await sound.get_by_role("button", name="Speed: 1 times").click()
    await expect(sound.get_by_role("button", name="Speed: 1.5 times")).to_be_visible()
    await shot(tab.page, "visitor")

    anna = await console(desk, browser)
    await expect(anna.locator("p-composer textarea")).to_be_visible()
    picture = anna.locator(".bubble--theirs .picture img")
    await expect(picture).to_be_visible(timeout=20_000)
    assert await picture.evaluate("async (img) => { await img.decode(); return img.naturalWidth }") == 1_200
    preview = await anna.request.get(await picture.evaluate("(img) => img.src"))
    assert preview.headers["content-type"] == "image/webp" and b"A camera that tells" not in await preview.body()

    player = anna.locator(".bubble--theirs .player")
    await player.get_by_role("button", name="Speed: 1 times").click()
    await player.get_by_role("button", name="Play").click()
    await expect(player.get_by_role("button", name="Pause")).to_be_visible()
    await player.get_by_role("button", name="Pause").click()

    await anna.locator(".bubble--theirs .picture").hover()
    await anna.locator(".bubble--theirs .picture .caption__edit").click()
    await anna.get_by_label("What is to be seen").fill("A dented teal kettle")
    await anna.get_by_role("button", name="Save").click()
    await expect(anna.locator(".bubble--theirs .caption").first).to_contain_text("A dented teal kettle")
    await shot(anna, "console")

    chosen: list[FilePayload] = [
        {"name": "receipt.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 paid"},
        {"name": "new kettle.png", "mimeType": "image/png", "buffer": photo("maroon", (300, 400))},
    ]
    await anna.locator("p-composer input[type=file]").set_input_files(chosen)
    await expect(anna.locator(".tray__one--there")).to_have_count(2)
    await shot(anna, "console-tray")
    await anna.locator("p-composer textarea").fill("A new one and your receipt")
    await anna.keyboard.press("Enter")
    await expect(anna.locator(".bubble--ours .filecard__name", has_text="receipt.pdf")).to_be_visible()
    answer = tab.bubble("A new one and your receipt")
    await expect(answer.locator(".picture img")).to_be_visible(timeout=20_000)
    async with tab.page.expect_download() as download:
        await answer.get_by_role("button", name="receipt.pdf").click()
    saved = await (await download.value).path()
    assert await asyncio.to_thread(Path(saved).read_bytes) == b"%PDF-1.7 paid"
    await shot(tab.page, "visitor-answered")
    assert [said for said in tab.said if "Content Security" in said] == []


async def test_what_may_not_be_sent_says_so_and_what_is_dropped_or_pasted_is_taken(
    desk: ChatDesk, browser: Browser, shop: str
) -> None:
    tab = await visit(browser, shop)
    await tab.open()
    await attach(tab, ("setup.exe", "application/octet-stream", b"MZ" + b"\0" * 100))
    await expect(tab.chat.locator(".tray li.failed")).to_contain_text("run a program")
    await tab.chat.get_by_role("button", name="Remove setup.exe").click()
    await expect(tab.chat.locator(".tray li")).to_have_count(0)
    for event in ("drop", "paste"):
        await tab.text.evaluate(
            """(field, name) => {
              const data = new DataTransfer();
              data.items.add(new File(["words"], `${name}.txt`, { type: "text/plain" }));
              const given = { bubbles: true, cancelable: true };
              field.dispatchEvent(name === "drop" ? new DragEvent("drop", { ...given, dataTransfer: data })
                : new ClipboardEvent("paste", { ...given, clipboardData: data }));
            }""",
            event,
        )
        await expect(tab.chat.locator(".tray li.there")).to_contain_text(f"{event}.txt")
        await tab.chat.get_by_role("button", name="Send").click()
        await expect(tab.chat.locator(".message .file", has_text=f"{event}.txt")).to_be_visible()


async def test_a_first_message_may_have_files_and_a_reload_of_the_console_loses_none(
    desk: ChatDesk, browser: Browser
) -> None:
    async with site(desk, await desk.inbox(ask=["email*"])) as shop:
        tab = await visit(browser, shop)
        await tab.launcher.click()
        await tab.chat.get_by_label("E-mail").fill("eve@example.org")
        await attach(tab, ("crack.png", "image/png", photo()))
        await expect(tab.chat.locator(".tray li.there")).to_contain_text("crack.png")
        await tab.chat.get_by_label("Your message").fill("It has a crack")
        await tab.chat.get_by_role("button", name="Start the chat").click()
        await expect(tab.bubble("It has a crack").locator(".picture img")).to_be_visible()
    anna = await console(desk, browser)
    await anna.locator("p-composer input[type=file]").set_input_files(
        {"name": "offer.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 offer"}
    )
    await expect(anna.locator(".tray__one--there")).to_contain_text("offer.pdf")
    await anna.reload()
    await expect(anna.locator(".tray__one--there")).to_contain_text("offer.pdf")
    await anna.locator("p-composer textarea").fill("Our offer")
    await anna.keyboard.press("Enter")
    await expect(anna.locator(".bubble--ours .filecard__name", has_text="offer.pdf")).to_be_visible()
    await anna.reload()
    await expect(anna.locator(".bubble--ours .filecard__name", has_text="offer.pdf")).to_be_visible()
    await expect(anna.locator(".tray__one--there")).to_have_count(0)
