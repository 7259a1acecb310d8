"""Who asks: tokens, cookies, sign-in, what each may, and how fast an end of it is felt."""

import pytest

from hub.clock import MINUTE
from hub.db.tx import Tx
from hub.staff import access, agents, passwords
from tests.fixtures.desk import PASSWORD, URL, DeskClient

OWN = {"X-Parley-CSRF": "1"}


def cookie(client: DeskClient, who: str = "agent") -> dict[str, str]:
    return {"Cookie": f"parley={client.people[who].session}"}


# --- tokens ----------------------------------------------------------------------------------------------------------


async def test_every_bad_credential_gets_the_same_answer(sqlite_desk_client: DeskClient) -> None:
    client = sqlite_desk_client
    good = client.people["agent"].token
    tried: list[dict[str, str]] = [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Authorization": good},
        {"Authorization": f"Token {good}"},
        {"Authorization": f"Bearer {good}x"},
        {"Authorization": f"Bearer {good[:-1]}"},
        {"Authorization": f"Bearer {good.upper()}"},
        {"Authorization": f"Bearer {good} {good}"},
        {"Authorization": "Bearer " + "a" * 8_000},
        {"Authorization": "Bearer parley_live_" + "é" * 10},
        {"Cookie": "parley="},
        {"Cookie": "parley=" + "a" * 43},
        {"Cookie": f"parley={good}"},
    ]
    answers = [await client.get("/api/v1/tickets", as_=None, headers=headers) for headers in tried]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}


async def test_a_revoked_token_is_refused_at_once(desk_client: DeskClient) -> None:
    assert (await desk_client.get("/api/v1/me", as_="supervisor")).status == 200
    (token,) = (await desk_client.get("/api/v1/tokens", as_="supervisor")).json["items"]
    assert (await desk_client.delete(f"/api/v1/tokens/{token['id']}", as_="supervisor")).status == 200
    assert (await desk_client.get("/api/v1/me", as_="supervisor")).status == 401


async def test_a_token_past_its_time_is_refused(desk_client: DeskClient) -> None:
    made = await desk_client.post(
        "/api/v1/tokens",
        {"name": "short", "scopes": ["tickets:read"], "expires_at": desk_client.clock.now() + MINUTE},
    )
    assert made.status == 201, made.body
    bearer = {"Authorization": f"Bearer {made.json['secret']}"}
    assert (await desk_client.get("/api/v1/tickets", as_=None, headers=bearer)).status == 200
    desk_client.clock.advance(MINUTE + 1)
    assert (await desk_client.get("/api/v1/tickets", as_=None, headers=bearer)).status == 401


async def test_a_token_revoked_by_another_process_ends_within_a_second(desk_client: DeskClient) -> None:
    """Even where no word of it arrives: what is remembered of a token is not remembered for long."""
    assert (await desk_client.get("/api/v1/me", as_="agent")).status == 200

    def revoke_unheard(tx: Tx) -> None:
        tx.run("UPDATE api_token SET revoked_at = :now", now=tx.now)

    await desk_client.store.write(revoke_unheard)
    desk_client.clock.advance(600)
    assert (await desk_client.get("/api/v1/me", as_="agent")).status == 401


async def test_a_disabled_agent_is_out_at_once_by_token_and_by_cookie(desk_client: DeskClient) -> None:
    helper = desk_client.people["agent"]
    assert (await desk_client.get("/api/v1/me", as_="agent")).status == 200
    assert (await desk_client.get("/api/v1/me", as_=None, headers=cookie(desk_client))).status == 200
    assert (await desk_client.post(f"/api/v1/agents/{helper.id}/disable")).status == 200
    assert (await desk_client.get("/api/v1/me", as_="agent")).status == 401
    assert (await desk_client.get("/api/v1/me", as_=None, headers=cookie(desk_client))).status == 401


async def test_a_token_may_only_what_its_scopes_name(sqlite_desk_client: DeskClient) -> None:
    """`reader` is an administrator, but their token only reads tickets and contacts."""
    client = sqlite_desk_client
    assert (await client.get("/api/v1/contacts", as_="reader")).status == 200
    refused = await client.post("/api/v1/contacts", {"name": "Abeba"}, as_="reader")
    assert refused.status == 403
    assert "contacts:write" in refused.json["detail"]
    assert (await client.get("/api/v1/agents", as_="reader")).status == 403


async def test_a_role_without_the_permission_is_refused_by_name(sqlite_desk_client: DeskClient) -> None:
    number = await sqlite_desk_client.new_ticket()
    refused = await sqlite_desk_client.post(f"/api/v1/tickets/{number}/resolve", as_="observer")
    assert refused.status == 403
    assert "tickets.change" in refused.json["detail"]


async def test_what_is_hidden_and_what_is_absent_look_the_same(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    hidden = await desk_client.get(f"/api/v1/tickets/{number}", as_="outsider")
    absent = await desk_client.get("/api/v1/tickets/999999", as_="outsider")
    assert hidden.status == absent.status == 404
    assert {k: v for k, v in hidden.json.items() if k != "request_id"} == {
        k: v for k, v in absent.json.items() if k != "request_id"
    }


# --- cookies ---------------------------------------------------------------------------------------------------------


async def test_with_a_token_the_cookie_counts_for_nothing(sqlite_desk_client: DeskClient) -> None:
    client = sqlite_desk_client
    both = cookie(client, "administrator")
    me = await client.get("/api/v1/me", as_="observer", headers=both)
    assert me.json["agent"]["name"] == "Observer"
    bad = await client.get("/api/v1/me", as_=None, headers={**both, "Authorization": "Bearer parley_live_no"})
    assert bad.status == 401


async def test_a_cookie_changes_nothing_without_the_header(desk_client: DeskClient) -> None:
    asked = {"name": "Abeba"}
    refused = await desk_client.post("/api/v1/contacts", asked, as_=None, headers=cookie(desk_client))
    assert refused.status == 403
    assert (await desk_client.get("/api/v1/contacts")).json["items"] == []
    done = await desk_client.post("/api/v1/contacts", asked, as_=None, headers=cookie(desk_client) | OWN)
    assert done.status == 201


@pytest.mark.parametrize(
    "from_where",
    [
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": f"{URL}.evil.example"},
        {"Origin": "https://desk.example"},
        {"Origin": f"{URL}:81"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": URL, "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_cookie_changes_nothing_from_another_site(
    sqlite_desk_client: DeskClient, from_where: dict[str, str]
) -> None:
    client = sqlite_desk_client
    headers = cookie(client) | OWN | from_where
    assert (await client.post("/api/v1/contacts", {"name": "A"}, as_=None, headers=headers)).status == 403
    signing_in = {"email": "agent@desk.example", "password": PASSWORD}
    assert (await client.post("/api/v1/session", signing_in, as_=None, headers=from_where)).status == 403


async def test_a_cookie_works_from_our_own_page(sqlite_desk_client: DeskClient) -> None:
    client = sqlite_desk_client
    for origin in (URL, client.url):
        headers = cookie(client) | OWN | {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        assert (await client.post("/api/v1/contacts", {"name": "A"}, as_=None, headers=headers)).status == 201


# --- signing in and out ----------------------------------------------------------------------------------------------


async def with_password(client: DeskClient, who: str) -> None:
    hashed = await passwords.hash_password(PASSWORD)

    def choose(tx: Tx) -> None:
        agents.set_password(tx, access.DESK, client.people[who].id, hashed)

    await client.store.write(choose)


async def test_signing_in_gives_a_cookie_that_scripts_cannot_read(desk_client: DeskClient) -> None:
    await with_password(desk_client, "agent")
    asked = {"email": "Agent@Desk.example", "password": PASSWORD}
    answer = await desk_client.post("/api/v1/session", asked, as_=None)
    assert answer.status == 200, answer.body
    assert answer.json["name"] == "Agent"
    given = answer.headers["Set-Cookie"]
    assert "HttpOnly" in given and "SameSite=Lax" in given and "Path=/" in given and "Domain" not in given
    headers = {"Cookie": given.split(";", 1)[0]}
    assert (await desk_client.get("/api/v1/me", as_=None, headers=headers)).status == 200
    assert (await desk_client.delete("/api/v1/session", as_=None, headers=headers)).status == 403
    assert (await desk_client.delete("/api/v1/session", as_=None, headers=headers | OWN)).status == 204
    assert (await desk_client.get("/api/v1/me", as_=None, headers=headers)).status == 401


async def test_a_wrong_password_and_a_wrong_address_are_answered_alike(sqlite_desk_client: DeskClient) -> None:
    await with_password(sqlite_desk_client, "agent")
    tried = [
        {"email": "agent@desk.example", "password": "not the one at all"},
        {"email": "nobody@desk.example", "password": "not the one at all"},
        {"email": "observer@desk.example", "password": "not the one at all"},
        {"email": "no address", "password": "not the one at all"},
    ]
    answers = [await sqlite_desk_client.post("/api/v1/session", asked, as_=None) for asked in tried]
    assert {(answer.status, answer.body) for answer in answers} == {(401, answers[0].body)}
    assert not any("Set-Cookie" in answer.headers for answer in answers)


async def test_the_cookie_of_a_desk_on_https_is_bound_to_its_host(
    sqlite_store: object, clock: object, tmp_path: object
) -> None:
    from tests.fixtures.desk import serving

    async with serving(sqlite_store, clock, tmp_path, public_url="https://desk.example") as client:  # type: ignore[arg-type]
        await with_password(client, "agent")
        asked = {"email": "agent@desk.example", "password": PASSWORD}
        answer = await client.post("/api/v1/session", asked, as_=None)
        assert answer.headers["Set-Cookie"].startswith("__Host-parley=")
        assert "Secure" in answer.headers["Set-Cookie"]
        assert answer.headers["Strict-Transport-Security"]
        headers = {"Cookie": answer.headers["Set-Cookie"].split(";", 1)[0]}
        out = await client.delete("/api/v1/session", as_=None, headers=headers | OWN)
        assert out.status == 204
        assert out.headers["Set-Cookie"].startswith('__Host-parley="";') and "Secure" in out.headers["Set-Cookie"]
        plain = {"Cookie": f"parley={client.people['agent'].session}"}
        assert (await client.get("/api/v1/me", as_=None, headers=plain)).status == 401
