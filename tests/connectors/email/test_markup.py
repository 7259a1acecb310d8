"""The HTML of mails: what is shown, what of it is folded, where its links go."""

import pytest

from connectors.email import hosts, markup

QUOTE = "On Mon, 4 May 2026 at 09:12 Desk &lt;d@example.org&gt; wrote:"


@pytest.mark.parametrize(
    "quoted",
    [
        f'<div class="gmail_quote">{QUOTE}<br><blockquote class="gmail_quote">Well?</blockquote></div>',
        f'<div class="moz-cite-prefix">{QUOTE}<br></div><blockquote type="cite">Well?</blockquote>',
        f'<blockquote type="cite"><div>{QUOTE}</div><div>Well?</div></blockquote>',
        '<hr><div id="divRplyFwdMsg"><b>From:</b> Desk &lt;d@example.org&gt;<br>'
        "<b>Sent:</b> Monday, May 4, 2026 9:12 AM<br><b>To:</b> Eve<br><b>Subject:</b> Hello</div><p>Well?</p>",
        "<p><b>Von:</b> Desk</p><p><b>Gesendet:</b> Montag, 4. Mai 2026 09:12</p><p><b>An:</b> Eve</p>"
        "<p><b>Betreff:</b> Hallo</p><p>Well?</p>",
        '<p>04.05.2026, 09:12, "Desk" &lt;d@example.org&gt;:</p><blockquote>Well?</blockquote>',
    ],
)
def test_what_programs_quote_is_folded_and_still_there(quoted: str) -> None:
    page = markup.read(f"<div><p>Yes, <b>please</b>.</p><p>Thank you</p>{quoted}</div>")
    assert page.html is not None
    shown, _, folded = page.html.partition("<details")
    assert "Thank you" in shown and "Well?" not in shown and "Well?" in folded
    assert "<blockquote></blockquote>" not in page.html
    assert page.html.count("<details") == page.html.count("</details>") == 1
    assert page.trimmed.shown.split() == ["Yes,", "please.", "Thank", "you"]
    assert "Well?" in page.text and "Well?" in page.trimmed.quoted


@pytest.mark.parametrize(
    "html",
    [
        "<p>One</p><blockquote>indented by themselves</blockquote>",
        '<p>One</p><blockquote style="margin: 0 0 0 40px; border: none; padding: 0px">indented</blockquote><p>Two</p>',
        "<p>See this:</p><p>---------- Forwarded message ---------<br>From: a &lt;a@b.example&gt;<br>"
        "Date: Mon, 4 May 2026<br>Subject: x<br>To: c</p><p>words</p>",
        f"<blockquote type=cite>{QUOTE}<br>Well?</blockquote>",
    ],
)
def test_what_people_set_apart_themselves_is_not_folded(html: str) -> None:
    page = markup.read(html)
    assert page.html is not None and "<details" not in page.html and page.trimmed.quoted == ""


def test_answers_between_are_each_shown() -> None:
    page = markup.read(
        f"<div>{QUOTE}</div><blockquote type=cite>One?</blockquote><div>Yes.</div>"
        "<blockquote type=cite>Two?</blockquote><div>No.</div>"
    )
    assert page.trimmed.shown.split() == ["Yes.", "No."]
    assert page.html is not None and page.html.count("<details") == 2
    outside = "".join(piece.partition("</details>")[2] for piece in page.html.split("<details"))
    assert "Yes." in outside and "No." in outside


def test_a_text_of_html_reads_like_one() -> None:
    page = markup.read(
        "<h1>Order</h1><ul><li>one<li>two</ul><table><tr><td>a<td>b<tr><td>c</table><pre>x\n  y</pre>a<br>b&amp;c"
        '<img alt="a shop" src=x> &lt;tag&gt;'
    )
    assert page.text == "Order\n\n- one\n- two\n\na  b\nc\n\nx\n  y\na\nb&c[a shop] <tag>"


@pytest.mark.parametrize(
    ("said", "target", "told"),
    [
        ("https://bank.example", "https://bank.example/login", ""),
        ("www.bank.example", "https://bank.example", ""),
        ("bank.example", "https://online.bank.example", ""),
        ("https://bank.example", "https://evil.example/bank.example", "evil.example"),
        ("Log in", "https://evil.example", ""),
        ("Log in", "https://bank.example@evil.example/", "evil.example"),
        ("Log in", "https://xn--bnk-rla.example/", "xn--bnk-rla.example"),
        ("Write to us", "mailto:a@evil.example", ""),
        ("bank.example", "mailto:a@evil.example", ""),
        ("version 1.2.3", "https://a.example", ""),
    ],
)
def test_a_link_that_says_another_host_is_told(said: str, target: str, told: str) -> None:
    assert hosts.another_than_said(said, target) == told


@pytest.mark.parametrize(
    "href",
    [
        "javascript:x",
        "java\nscript:x",
        "//evil.example",
        "\\\\evil",
        "https:evil",
        "data:text/html,x",
        "file:x",
        "/in",
    ],
)
def test_a_link_that_is_no_address_is_none(href: str) -> None:
    page = markup.read(f'<a href="{href}">here</a>')
    assert page.html is not None and "href" not in page.html


def test_much_of_it_takes_no_time() -> None:
    for html in ("<div>" * 50_000, "<b>x</b>" * 100_000, "<a href=https://a.example>b.example" * 9_000, "&" * 500_000):
        markup.read(html)
