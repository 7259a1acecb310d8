import dataclasses

import pytest

from hub.connector import Connector, WrongSetting, setting
from hub.db.store import Store
from hub.desk import inboxes, kinds
from hub.errors import Refusal
from hub.events import Actor, InboxChanged, InboxHealthChanged
from hub.seal import SealBroken, Sealer
from hub.staff.access import DESK, Caller, Grants


@dataclasses.dataclass(frozen=True)
class PostSettings:
    address: str = setting("Address", "Where it goes")
    password: str = setting("Password", secret=True)
    port: int = setting("Port", default=25)
    how: str = setting("How", default="tls", choices=("tls", "plain"))

    def __post_init__(self) -> None:
        if self.password == "password":
            raise WrongSetting("password", "That is no password.")


class Post(Connector):
    kind = "test-post"
    Settings = PostSettings


@pytest.fixture(autouse=True)
def post() -> None:
    kinds.register("test-post", "A test's own", lambda: Post)


@pytest.fixture
def sealed(store: Store) -> Store:
    store.sealer = Sealer.random()
    return store


async def create(store: Store, **settings: object) -> inboxes.Inbox:
    given = {"address": "there", "password": "s3cret-of-inbox"} | settings
    return await store.write(inboxes.create, DESK, kind="test-post", name="Post", settings=given)


async def test_an_inbox_keeps_its_secrets_sealed_and_shows_only_that_they_are_set(sealed: Store) -> None:
    inbox = await create(sealed)
    assert inbox.settings == {"address": "there"} and list(inbox.sealed) == ["password"]
    assert "s3cret-of-inbox" not in repr(inbox) + str(inbox.sealed)
    stored = await sealed.read(lambda rx: rx.value("SELECT secrets FROM inbox"))
    assert b"s3cret-of-inbox" not in stored
    assert inboxes.connector_settings(inbox, sealed.sealer) == PostSettings("there", "s3cret-of-inbox")
    assert len(inbox.token) >= 22


async def test_its_settings_open_only_with_the_key_they_were_sealed_with(sealed: Store) -> None:
    inbox = await create(sealed)
    with pytest.raises(SealBroken, match="not in the key file"):
        inboxes.connector_settings(inbox, Sealer.random())
    with pytest.raises(SealBroken, match="without a key file"):
        inboxes.connector_settings(inbox, None)


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"address": None}, "settings.address", "required"),
        ({"address": ""}, "settings.address", "empty"),
        ({"port": "25"}, "settings.port", "whole number"),
        ({"port": True}, "settings.port", "whole number"),
        ({"how": "loud"}, "settings.how", "tls, plain"),
        ({"adress": "x"}, "settings.adress", "no such setting"),
        ({"password": "password"}, "settings.password", "no password"),
        ({"default_country": "Ethiopia"}, "settings.default_country", "two capital letters"),
        ({"reopen_days": -1}, "settings.reopen_days", "Between 0"),
        ({"routing": "magic"}, "settings.routing", "claim, offer"),
        ({"allowed_origins": ["shop.example"]}, "settings.allowed_origins", "https://"),
    ],
)
async def test_a_wrong_setting_is_named_with_what_to_do(sealed: Store, given: dict, field: str, says: str) -> None:
    with pytest.raises(Refusal) as refused:
        await create(sealed, **given)
    assert [error.field for error in refused.value.errors] == [field]
    assert says in refused.value.text
    assert await sealed.read(inboxes.all_of_them) == []


async def test_a_change_lays_over_and_a_secret_that_is_not_named_stays(sealed: Store) -> None:
    inbox = await create(sealed, port=26)
    changed = await sealed.write(
        inboxes.change, DESK, inbox.id, settings={"port": None, "reopen_days": 3, "how": "plain"}, name="Other post"
    )
    assert changed.settings == {"address": "there", "how": "plain", "reopen_days": 3}
    assert changed.common.reopen_days == 3 and changed.name == "Other post"
    assert changed.sealed == inbox.sealed
    new = await sealed.write(inboxes.change, DESK, inbox.id, settings={"password": "another"})
    assert inboxes.connector_settings(new, sealed.sealer).password == "another"


async def test_changing_nothing_records_nothing(sealed: Store) -> None:
    events: list = []
    sealed.committed.append(lambda found, _enqueued: events.extend(found))
    inbox = await create(sealed)
    await sealed.write(inboxes.change, DESK, inbox.id, name="Post", settings={"address": "there"})
    assert not [e for e in events if isinstance(e.event, InboxChanged)]


async def test_names_are_unique_whatever_their_case_and_who_may_not_is_refused(sealed: Store) -> None:
    await create(sealed)
    with pytest.raises(Refusal) as refused:
        await sealed.write(
            inboxes.create, DESK, kind="test-post", name="POST", settings={"address": "x", "password": "y"}
        )
    assert (refused.value.code, refused.value.field) == ("conflict", "name")
    nobody = Caller(Actor("agent", 1), Grants(1, frozenset({"inboxes.read"}), True, frozenset(), frozenset()))
    with pytest.raises(Refusal) as refused:
        await sealed.write(inboxes.create, nobody, kind="test-post", name="Mine")
    assert refused.value.code == "forbidden"


async def test_keys_rotate_by_a_new_line_on_top(sealed: Store) -> None:
    inbox = await create(sealed)
    old = sealed.sealer
    assert old is not None
    sealed.sealer = Sealer([b"n" * 32, *old._keys.values()])
    changed = await sealed.write(inboxes.change, DESK, inbox.id, settings={"port": 1})
    assert changed.sealed != inbox.sealed
    assert inboxes.connector_settings(changed, Sealer([b"n" * 32])).password == "s3cret-of-inbox"


async def test_health_is_an_event_only_when_it_changes(sealed: Store) -> None:
    inbox = await create(sealed)
    events: list = []
    sealed.committed.append(lambda found, _enqueued: events.extend(found))
    for error in (None, None, "refused", "refused again", None):
        await sealed.write(inboxes.health, inbox.id, "out", error)
    assert [e.event.healthy for e in events if isinstance(e.event, InboxHealthChanged)] == [False, True]
    found = await sealed.read(inboxes.by_token, inbox.token)
    assert found is not None and found.health_out.error is None and found.health_out.at
