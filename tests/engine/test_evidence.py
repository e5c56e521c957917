"""Exchanges on disk and in memory."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.engine.evidence import EvidenceStore, evidence_path, read_evidence
from conformance.wire.exchange import Exchange, Request
from conformance.wire.masking import Mask


def exchange(number, body=b"{}", **more):
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    return Exchange(
        Request("POST", "/x", b"{}"),
        id=f"x{number:05d}",
        status=200,
        raw=head + body,
        body=body,
        **more,
    )


@pytest.fixture(scope="module")
def store():
    """Open stores that are closed in the end."""
    opened = []

    def make(folder, **options):
        made = EvidenceStore(folder, "t", "http://127.0.0.1/v1", Mask(["secret-key-1"]), **options)
        opened.append(made)
        return made

    yield make
    for each in opened:
        each.close()


@given(bodies=st.lists(st.binary(max_size=300), max_size=12), large=st.integers(1, 400))
def test_what_was_kept_is_what_is_read(store, tmp_path_factory, bodies, large):
    """Whatever is at hand and whatever is on disk, an exchange reads the same."""
    kept = store(tmp_path_factory.mktemp("e"), room=500, large=large)
    given_ones = [exchange(n, body) for n, body in enumerate(bodies)]

    returned = [kept.keep(each) for each in given_ones]

    views = [(e.id, e.body, e.raw, e.json) for e in given_ones]
    assert repr(views) == repr([(e.id, e.body, e.raw, e.json) for e in returned])
    assert repr(views) == repr([(e.id, e.body, e.raw, e.json) for e in kept.exchanges])
    assert [e.id for e in given_ones] == [e.id for e in read_evidence(kept.path)]
    kept.close()


def test_a_large_exchange_does_not_stay_in_memory(store, tmp_path):
    """Its bytes are on disk; a copy with changes has them all."""
    kept = store(tmp_path, large=1000)

    light = kept.keep(exchange(1, b"x" * 5000))

    assert "body" not in vars(light)
    assert 5000 == len(light.body)
    assert (True, 5000) == (
        light.replace(server_died=True).server_died,
        len(light.replace(server_died=True).body),
    )


def test_memory_is_bounded(store, tmp_path):
    """What was not looked at for longest makes room."""
    kept = store(tmp_path, room=100_000)

    for number in range(200):
        kept.keep(exchange(number, b"x" * 5000))

    assert 200 == len(kept.exchanges)
    assert len(kept._cache) <= 11


def test_the_same_id_once_more_replaces(store, tmp_path):
    """A culprit is marked after the fact: the last version counts, in the first one's place."""
    kept = store(tmp_path)
    for number in (1, 2):
        kept.keep(exchange(number))

    kept.keep(exchange(1, server_died=True))

    assert [("x00001", True), ("x00002", False)] == [(e.id, e.server_died) for e in kept.exchanges]
    assert {True, False} == {e.server_died for e in read_evidence(kept.path)}
    assert 2 == len(list(read_evidence(kept.path)))


def test_an_interrupted_file_is_continued(store, tmp_path):
    """A line cut by a kill goes, everything else stays, and numbers go on."""
    first = store(tmp_path)
    first.keep(exchange(7))
    first.close()
    path = evidence_path(tmp_path, "t")
    path.write_bytes(path.read_bytes() + b'{"id": "x00008", "tar')

    second = store(tmp_path)
    second.keep(exchange(second.numbers + 1))

    assert ["x00007", "x00008"] == [e.id for e in second.exchanges]
    assert 2 == len([json.loads(line) for line in path.read_bytes().splitlines()])


def test_secrets_never_reach_the_disk(store, tmp_path):
    """What is judged and what is written is masked."""
    kept = store(tmp_path)

    seen = kept.keep(exchange(1, b'{"key": "secret-key-1"}'))

    assert b"secret-key-1" not in seen.body
    assert b"secret-key-1" not in kept.path.read_bytes()


def test_an_unknown_id_is_a_key_error(store, tmp_path):
    """Nothing is made up."""
    with pytest.raises(KeyError):
        store(tmp_path).load("x1")
