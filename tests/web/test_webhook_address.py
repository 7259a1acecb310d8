"""An address that the desk would call is judged when it is saved, by the field it was written into."""

import pytest

from tests.fixtures.desk import DeskClient

SECRET = "whsec_" + "QUFB" * 8


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://10.0.0.8/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://169.254.169.254/latest/meta-data",
        "https://shop.example:22/",
        "http://shop.example/",
        "gopher://shop.example/",
        "https://user:pass@shop.example/",
    ],
)
async def test_a_webhook_to_where_nothing_is_called_is_refused_when_it_is_saved(
    sqlite_desk_client: DeskClient, url: str
) -> None:
    body = {"kind": "webhook", "name": "Shop", "settings": {"secret": SECRET, "url": url}}
    answer = await sqlite_desk_client.post("/api/v1/inboxes", body)
    assert answer.status == 422
    assert [e["path"] for e in answer.json["errors"]] == ["settings.url"]


async def test_a_webhook_to_the_outside_is_saved(sqlite_desk_client: DeskClient) -> None:
    body = {"kind": "webhook", "name": "Shop", "settings": {"secret": SECRET, "url": "https://shop.example/hook"}}
    assert (await sqlite_desk_client.post("/api/v1/inboxes", body)).status == 201
