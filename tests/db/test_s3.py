"""What files hold in a bucket: signed as the protocol has it, had again without the cache, tidied like a folder."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.config import Config
from hub.db.contents import Contents
from hub.db.s3 import Bucket, contents_of
from hub.errors import Unavailable
from tests.providers.s3 import KEY, REGION, SECRET, S3Store


@pytest.fixture
def store() -> Iterator[S3Store]:
    with S3Store() as found:
        yield found


def opened(store: S3Store, folder: Path, secret: str = SECRET) -> Bucket:
    config = Config(data=folder, files="s3://desk/of the/tests", s3_endpoint=store.endpoint, s3_region=REGION,
                    s3_key=KEY, s3_secret=secret)  # fmt: skip
    found = contents_of(config, lambda: int(store.now.timestamp() * 1000))
    assert isinstance(found, Bucket) and secret not in repr(found) and secret not in repr(config)
    return found


def put(contents: Contents, data: bytes) -> str:
    writing = contents.begin(1_000_000)
    writing.write(data)
    return contents.keep(writing)


def test_what_is_kept_can_be_had_by_another_desk(store: S3Store, tmp_path: Path) -> None:
    one, other = opened(store, tmp_path / "one"), opened(store, tmp_path / "other")
    name = put(one, b"words" * 100_000)
    one.keep_preview(name, b"small")
    assert store.refused == [] and len(store.objects) == 2
    assert other.ensure(name) and other.path(name).read_bytes() == b"words" * 100_000
    assert other.ensure_preview(name) and other.preview(name).read_bytes() == b"small"
    assert other.size_of(name) == 500_000
    missing = "0" * 64
    assert not other.ensure(missing) and other.size_of(missing) is None


def test_what_the_store_does_not_take_is_not_kept(store: S3Store, tmp_path: Path) -> None:
    stranger = opened(store, tmp_path, "another secret")
    with pytest.raises(Unavailable, match="SignatureDoesNotMatch"):
        put(stranger, b"words")
    contents = opened(store, tmp_path)
    store.broken = 503
    with pytest.raises(Unavailable, match="SlowDown"):
        put(contents, b"words")
    assert list(contents.all()) == [] and list((contents.root / "new").iterdir()) == []


def test_orphans_go_once_they_are_old_and_what_was_written_once_more_stays(store: S3Store, tmp_path: Path) -> None:
    contents = opened(store, tmp_path)
    names = {put(contents, b"%d" % number) for number in range(5)}
    assert contents.old() == []
    store.now += timedelta(hours=2)
    again = put(contents, b"0")
    assert set(contents.old()) == names - {again}
    assert not contents.remove(again)
    for name in contents.old():
        assert contents.remove(name)
    assert len(store.objects) == 1 and [name for name, _ in contents.all()] == [again]


def test_a_backup_goes_from_a_bucket_to_a_folder_and_back(store: S3Store, tmp_path: Path) -> None:
    bucket, folder = opened(store, tmp_path / "cache"), Contents(tmp_path / "backup.files")
    name = put(bucket, b"words")
    bucket.keep_preview(name, b"small")
    assert bucket.copy_to(folder, [name, "0" * 64]) == (1, 1)
    store.objects.clear()
    empty = opened(store, tmp_path / "elsewhere")
    assert folder.copy_to(empty, [name]) == (1, 0)
    assert len(store.objects) == 2 and empty.path(name).read_bytes() == b"words"
