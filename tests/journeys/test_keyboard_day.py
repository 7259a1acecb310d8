"""An agent's whole day without a mouse: by the keys that the console names, and by Tab to whatever has none."""

import asyncio
import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, expect

from tests.journeys.test_console import ANNA, PASSWORD, Said, browser, come_in
from tests.journeys.test_contacts import settled
from tests.journeys.test_delivery import Post, post

__all__ = ["browser", "post"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
MOST = 120  # presses of Tab from anywhere to anything
FOCUSED = "element => element === document.activeElement"


class Hands:
    """On the keyboard, and nowhere else."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.press, self.type = page.keyboard.press, page.keyboard.type

    async def keys(self, *keys: str) -> None:
        for key in keys:
            await self.press(key)

    async def to(self, wanted: Locator, *, back: bool = False) -> None:
        """By Tab, as far as it takes."""
        await expect(wanted).to_be_visible()
        for _ in range(MOST):
            if await wanted.evaluate(FOCUSED):
                return
            await self.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"no Tab leads to {wanted}")

    async def push(self, name: str | re.Pattern[str], within: Locator | None = None, *, role: str = "button") -> None:
        where = within or self.page
        await self.to(where.get_by_role(role, name=name, exact=isinstance(name, str)).first)  # type: ignore[arg-type]
        await self.press("Enter")


async def many(post: Post, count: int) -> None:
    contact = await post.ask("POST", "/contacts", {"name": "Kid", "points": []})
    for n in range(count):
        opened = {"contact_id": contact["id"], "inbox_id": post.inbox["id"], "text": f"Message {n}"}
        await post.ask("POST", "/tickets", opened)


async def test_a_whole_day_by_the_keyboard(post: Post, browser: Browser) -> None:
    await post.ask("PUT", "/me/preferences", {"undo_seconds": 0})
    await post.ask("POST", "/canned", {"short": "thanks", "title": "Thank you", "text": "Thank you, it left today."})
    await post.ask("PATCH", f"/inboxes/{post.inbox['id']}", {"settings": {"routing": "offer"}})
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page, said = await context.new_page(), Said()
    said.follow(page)
    hands = Hands(page)
    main, log, dialog = page.locator("main"), page.get_by_role("log"), page.get_by_role("dialog")

    # The morning: sign in, and be there.
    await page.goto(post.url("/inbox"))
    await hands.to(page.get_by_label("E-mail"))
    await hands.type(ANNA)
    await hands.press("Tab")
    await hands.type(PASSWORD)
    await hands.press("Enter")
    await expect(page).to_have_url(post.url("/inbox"))
    await hands.push(re.compile("^Your availability"))
    await hands.push(re.compile("^Online"), dialog)
    await expect(page.locator(".presence--online").first).to_be_visible()

    # What is offered rings in a banner, wherever one is.
    number = await post.hears("Where is my parcel?")
    await hands.push("Accept", page.locator(".offer"))
    await expect(page).to_have_url(post.url(f"/inbox/{number}"))
    await expect(page.locator(".thread__about")).to_contain_text("Yours")
    await expect(log).to_contain_text("Where is my parcel?")

    # An answer out of what is ready, and a note that calls a colleague.
    await hands.press("r")
    await expect(page.get_by_label("Reply to the customer")).to_be_focused()
    await hands.type("/tha")
    await expect(page.get_by_role("option", name="/thanks")).to_be_visible()
    await hands.keys("Enter", "Control+Enter")
    await expect(page.locator(".bubble--ours")).to_contain_text("Thank you, it left today.")
    await hands.keys("Escape", "n")
    await expect(page.get_by_label("Note for colleagues")).to_be_focused()
    await hands.type("Please look at it, @b")
    await expect(page.get_by_role("option", name="Bo")).to_be_visible()
    await hands.keys("Enter", "Control+Enter")
    await expect(page.locator(".bubble--note .called")).to_have_text("@Bo")
    await hands.press("Escape")

    # What it is about, how urgent, whose.
    about = page.locator(".thread__about")
    await hands.press("l")
    await hands.type("delivery")
    await expect(page.get_by_role("option", name="New tag")).to_be_visible()
    await hands.keys("Enter", "Escape")
    await expect(about).to_contain_text("delivery")
    await hands.keys("p", "1")
    await expect(about).to_contain_text("Urgent")
    await hands.press("a")
    await hands.type("Bo")
    await expect(page.get_by_role("option", name=re.compile("^Bo"))).to_be_visible()
    await hands.press("Enter")
    await expect(about).to_contain_text("Bo")
    await hands.press("i")
    await expect(about).to_contain_text("Yours")

    # Handed over with a word, and had back.
    await hands.press(".")
    await hands.type("hand")
    await hands.press("Enter")
    await expect(dialog.get_by_role("combobox", name="To")).to_be_focused()
    await hands.type("Bo")
    await hands.press("Tab")
    await hands.type("She was promised a call.")
    await hands.press("Control+Enter")
    await expect(page.locator(".toast").filter(has_text=f"#{number} is with Bo now.")).to_have_count(2)
    await hands.press("z")
    await expect(about).to_contain_text("Yours")

    # Put off, done with, open again.
    await hands.keys("s", "2")
    await expect(page.locator(".toast").filter(has_text=re.compile("until|snooze", re.I))).to_be_visible()
    await status(post, number, "snoozed")
    await hands.press("z")
    await status(post, number, "open")
    await page.goto(post.url(f"/inbox/{number}"))
    await expect(about).to_contain_text("Open")
    await hands.press("e")
    await status(post, number, "resolved")
    await page.goto(post.url(f"/inbox/{number}"))
    await expect(about).to_contain_text("Resolved")
    await hands.press("Shift+E")
    await expect(about).to_contain_text("Open")

    # Two tickets of one customer become one, and two again; and one becomes two.
    contact = (await post.thread(number))["ticket"]["contact_id"]
    opened = {"contact_id": contact, "inbox_id": post.inbox["id"], "text": "And the invoice?"}
    other = int((await post.ask("POST", "/tickets", opened))["number"])
    await page.goto(post.url(f"/inbox/{other}"))
    await expect(log).to_contain_text("And the invoice?")
    await hands.press(".")
    await hands.type("merge")
    await hands.press("Enter")
    await expect(dialog.get_by_role("radio").first).to_be_focused()
    await hands.keys("Space", "Control+Enter")
    await expect(page).to_have_url(post.url(f"/inbox/{number}"))
    await expect(log).to_contain_text("And the invoice?")
    await hands.press("z")
    await expect(page).to_have_url(post.url(f"/inbox/{other}"))
    await post.hears("And one more thing: the cup.")
    await expect(log).to_contain_text("one more thing")
    words = page.locator(".bubble", has_text="one more thing")
    await hands.push(re.compile("^What to do with the message"), words)
    await expect(page.get_by_role("option", name=re.compile("^Split"))).to_be_visible()
    await hands.keys("End", "Enter")
    await expect(dialog.get_by_role("button", name="Split")).to_be_visible()
    await hands.press("Enter")
    await expect(page).not_to_have_url(post.url(f"/inbox/{other}"))
    await expect(log).to_contain_text("one more thing")

    # More than a hundred at once, and back.
    await many(post, 110)
    await page.goto(post.url("/inbox?view=all"))
    await expect(page.locator(".rows")).to_have_attribute("aria-rowcount", re.compile("1[01][0-9]"))
    await hands.keys("j", "End")
    await expect(page.locator(".row--selected")).to_be_visible()
    await hands.press("Control+a")
    bar = page.get_by_role("toolbar", name="With what is selected")
    await expect(bar).to_contain_text("1")
    await hands.push("Resolve", bar)
    await expect(page.locator(".toast").filter(has_text="resolved")).to_be_visible(timeout=30_000)
    await hands.press("z")
    await expect(page.get_by_role("link", name=re.compile("^Queue 11[0-9] "))).to_be_visible(timeout=30_000)
    await status(post, number, "open")

    # Contacts: found, changed, noted about, written to; and it really arrives.
    await hands.keys("g", "p")
    await expect(main.get_by_role("heading", name="Contacts")).to_be_visible()
    await hands.press("/")
    await hands.type("eve")
    await expect(page.locator(".people__row")).to_have_count(1)
    await hands.push("Eve", page.locator(".people__row"), role="link")
    await expect(page.get_by_role("heading", name="Eve")).to_be_visible()
    await hands.push(re.compile("^Company"))
    await hands.type("Harbour Kitchens")
    await hands.press("Enter")
    await expect(page.get_by_role("button", name="Company")).to_contain_text("Harbour Kitchens")
    await hands.to(page.get_by_label("A note about this contact"))
    await hands.type("Likes it blue.")
    await hands.press("Control+Enter")
    await expect(page.locator(".note__text")).to_have_text("Likes it blue.")
    await hands.push("New message")
    await expect(dialog.get_by_label("Message")).to_be_visible()
    if await dialog.get_by_label("Subject").count() and await dialog.get_by_label("Subject").is_visible():
        await hands.to(dialog.get_by_label("Subject"))
        await hands.type("Your cup")
    await hands.to(dialog.get_by_label("Message"))
    await hands.type("The blue one is here.")
    await hands.press("Control+Enter")
    await expect(page).to_have_url(re.compile(r"/inbox/\d+"))
    async with asyncio.timeout(30):
        while "The blue one is here." not in post.peer.accepted():
            await asyncio.sleep(0.1)

    # The other screens, and a page of the settings.
    for keys, name in (
        (("g", "b"), "Board"),
        (("g", "d"), re.compile("^Good ")),
        (("g", "q"), "Waiting for an answer"),
    ):
        await hands.keys("Escape", *keys)
        await expect(main.get_by_role("heading", name=name).first).to_be_visible()
    await hands.keys("g", "s")
    await expect(page).to_have_url(post.url("/settings"))
    await hands.push(re.compile("^Tags"), page.get_by_role("navigation"), role="link")
    await hands.push("delivery", role="link")
    await hands.to(page.get_by_role("radio", name="Grey"))
    await hands.press("ArrowRight")
    await hands.push("Save")
    await expect(page.get_by_role("status")).to_contain_text("Saved.")
    tags = (await post.ask("GET", "/tags"))["items"]
    assert [(tag["name"], tag["colour"]) for tag in tags] == [("delivery", "red")]
    await hands.push("To the inbox", role="link")

    # The palette; another key for something, and that key.
    await expect(page.locator(".rows")).to_be_attached()
    await settled(page)
    await hands.press("Control+k")
    await hands.type("preferences")
    await expect(page.get_by_role("option", name="To the preferences")).to_be_visible()
    await hands.press("Enter")
    await expect(page).to_have_url(post.url("/preferences"))
    await hands.push("Show and change the keys")
    sheet = page.get_by_role("dialog", name="Keys")
    await hands.push("Change keys", sheet)
    await hands.push("Change the key of “To the queue”", sheet)
    await hands.press("y")
    await expect(sheet.get_by_role("button", name="As it was")).to_be_visible()
    await hands.press("Escape")
    await expect(sheet).to_be_hidden()
    await hands.press("y")
    await expect(page).to_have_url(post.url("/queue"))

    # The evening.
    await hands.keys("g", "s")
    await hands.push("Sign out")
    await expect(page).to_have_url(re.compile("/sign-in"))
    assert said == []
    await context.close()


async def status(post: Post, number: int, wanted: str) -> None:
    found = ""
    for _ in range(100):
        found = (await post.thread(number))["ticket"]["status"]
        if found == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"#{number} is {found}, not {wanted}")


SHEETS: dict[str, tuple[str, ...]] = {
    "palette": ("Control+k",),
    "keys": ("?",),
    "new message": ("Shift+C",),
    "more": (".",),
    "tags": ("l",),
    "priority": ("p",),
    "assign": ("a",),
    "snooze": ("s",),
    "hand over": (".", "h", "a", "n", "d", "Enter"),
    "spam": ("!",),
}


async def test_whatever_opens_over_a_screen_has_names_and_a_way_back(post: Post, browser: Browser) -> None:
    number = await post.hears("Where is my parcel?")
    page, said = await come_in(post, browser, f"/inbox/{number}")
    await settled(page)
    for name, keys in SHEETS.items():
        for key in keys:
            await page.keyboard.press(key)
        sheet = page.locator("dialog[open], [popover]:popover-open").last
        await expect(sheet).to_be_visible()
        await expect(sheet.locator(":focus")).to_have_count(1)
        found = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert found.response["violations"] == [], (name, found.generate_report())
        for _ in range(2):
            await page.keyboard.press("Escape")
        await expect(page.locator("dialog[open], [popover]:popover-open")).to_have_count(0)
        await page.goto(post.url(f"/inbox/{number}"))
        await settled(page)
        await expect(page.get_by_role("log")).to_contain_text("Where is my parcel?")
    assert said == []


AT_ONCE = """(keys) => { for (const [key, code] of keys) document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true })); }"""


async def test_a_key_that_follows_a_choice_before_the_page_is_drawn_again_counts(post: Post, browser: Browser) -> None:
    number = await post.hears("Where is my parcel?")
    page, said = await come_in(post, browser, f"/inbox/{number}")
    await settled(page)
    await page.keyboard.press("p")
    await expect(page.get_by_role("listbox", name="Priority")).to_be_focused()
    await page.evaluate(AT_ONCE, [["1", "Digit1"], ["a", "KeyA"]])
    await expect(page.locator(".thread__about")).to_contain_text("Urgent")
    await expect(page.get_by_role("combobox", name="Assign to")).to_be_focused()
    await page.keyboard.type("Bo")
    await expect(page.get_by_role("option", name=re.compile("^Bo"))).to_be_visible()
    assert said == []
