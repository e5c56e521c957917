"""The event-stream parser: the WHATWG grammar, and a name for every departure from it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conformance.wire.events import EventStream
from conformance.wire.sse import MAX_EVENT, MAX_EVENTS, SSEParser, parse_stream

#: A slow machine is not a failure of the law.
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def kinds(body: bytes, *, legal: bool = False) -> list[str]:
    return [breach.kind for breach in parse_stream(body).breaches if breach.legal is legal]


def data(body: bytes) -> list[str]:
    return [event.data for event in parse_stream(body).events]


GOOD = b'data: {"a":1}\n\ndata: {"a":2}\n\ndata: [DONE]\n\n'

LEGAL = [
    pytest.param(b'data: {"a":1}\r\n\r\ndata: [DONE]\r\n\r\n', ["crlf"], id="crlf"),
    pytest.param(b'data: {"a":1}\r\rdata: [DONE]\r\r', ["cr"], id="cr"),
    pytest.param(b'data: {"a":1}\n\ndata: [DONE]\r\n\r\n', ["crlf", "mixed-line-ends"], id="mixed"),
    pytest.param(b': hi\n\ndata: {"a":1}\n\ndata: [DONE]\n\n', ["comment"], id="comment"),
    pytest.param(b'data:{"a":1}\n\ndata:[DONE]\n\n', ["no-space"], id="no-space"),
    pytest.param(b'\n\n\ndata: {"a":1}\n\n\ndata: [DONE]\n\n', ["extra-blank-line"], id="blank"),
    pytest.param(b'data: {\ndata: "a":1}\n\ndata: [DONE]\n\n', ["multi-line-data"], id="lines"),
    pytest.param(b'\xef\xbb\xbfdata: {"a":1}\n\ndata: [DONE]\n\n', ["bom"], id="bom"),
    pytest.param(
        b'data: {"a":1}\n\ndata: [DONE]\n\n: bye', ["comment", "unterminated-comment"], id="tail"
    ),
]

ILLEGAL = [
    (b'data: {"a":"\xff"}\n\n', ["invalid-utf-8"]),
    (b'data: {"a":1}', ["unterminated-event"]),
    (b'data: {"a":1}\n', ["unterminated-event"]),
    (b'{"a":1}\n{"a":2}\n', ["not-sse", "not-sse"]),
    (b"<html>\n", ["not-sse"]),
    (b"foo: bar\n\n", ["unknown-field"]),
    (b"event: x\ndata: {}\n\n", ["named-event"]),
    (b"id: 1\ndata: {}\n\n", ["event-id"]),
    (b"retry: 1\ndata: {}\n\n", ["retry"]),
    (b"event: ping\n\n", ["dataless-event", "named-event"]),
    (b"data:\n\n", ["empty-data"]),
    (b"data\n\n", ["empty-data"]),
    (b"data: data: {}\n\n", ["data-prefix-in-data"]),
    (b"data: : keep-alive\n\n", ["comment-as-data"]),
    (b"data: [done]\n\n", ["malformed-done"]),
    (b"data:  [DONE]\n\n", ["malformed-done"]),
    (b'data: {"a":1}\ndata: {"a":2}\n\n', ["double-json"]),
    (b'data: {"a":1}\ndata: [DONE]\n\n', ["double-json"]),
    (b"data: [DONE]\n\ndata: {}\n\n", ["data-after-done"]),
    (b"data: [DONE]\n\ndata: [DONE]\n\n", ["data-after-done"]),
]


def test_a_well_formed_stream_has_no_breach_and_no_note() -> None:
    """A stream as OpenAI sends it is parsed without a remark."""
    stream = parse_stream(GOOD)

    assert ['{"a":1}', '{"a":2}', "[DONE]"] == [event.data for event in stream.events]
    assert () == stream.breaches


@pytest.mark.parametrize(("body", "notes"), LEGAL)
def test_what_the_grammar_allows_is_noted_and_never_a_breach(body: bytes, notes: list[str]) -> None:
    """Rare but legal forms yield the same JSON and no accusation."""
    stream = parse_stream(body)

    assert () == stream.illegal
    assert notes == kinds(body, legal=True)
    assert [{"a": 1}] == [event.json for event in stream.data_events]
    assert 1 == len(stream.done_events)


@pytest.mark.parametrize(("body", "expected"), ILLEGAL)
def test_every_departure_has_its_name(body: bytes, expected: list[str]) -> None:
    """Each breach of data-only events is reported under one stable word."""
    assert expected == kinds(body)


def test_a_bare_data_field_counts_as_an_empty_line() -> None:
    """The standard's own example: "data" twice and a blank line dispatch one newline."""
    assert ["\n"] == data(b"data\ndata\n\n")


def test_only_one_leading_space_is_removed() -> None:
    """The standard's own example: "data:test" and "data: test" are the same event."""
    assert ["test", "test", " test"] == data(b"data:test\n\ndata: test\n\ndata:  test\n\n")


def test_an_event_left_at_the_end_is_kept_and_marked() -> None:
    """A conforming reader drops it, so a check must be able to say which event is lost."""
    stream = parse_stream(b"data: 1\n\ndata: 2")

    assert [("1", True), ("2", False)] == [(e.data, e.terminated) for e in stream.events]


def test_fields_of_an_event_are_kept() -> None:
    """Name, id and retry of an event are there for a check to quote."""
    (event,) = parse_stream(b"event: e\nid: i\nretry: 5\ndata: d\n\n").events

    assert ("e", "i", "5", "d") == (event.name, event.id, event.retry, event.data)


def test_offsets_point_at_the_event_in_the_body() -> None:
    """``body[offset:end]`` is the event, its blank line included."""
    body = b": c\n\ndata: 1\n\n: d\ndata: 2\n\n"
    stream = parse_stream(body)

    assert [b"data: 1\n\n", b"data: 2\n\n"] == [body[e.offset : e.end] for e in stream.events]
    assert ((0, " c"), (14, " d")) == stream.comments


def test_an_event_arrives_with_the_read_that_completes_it() -> None:
    """``at`` is the arrival of the byte that ends the blank line."""
    body = b"data: 1\n\ndata: 2\n\n"
    stream = parse_stream(body, [(0.1, 4), (0.2, 9), (0.3, 17), (0.4, 18)])

    assert [0.2, 0.4] == [event.at for event in stream.events]


def test_a_lone_cr_dispatches_at_once() -> None:
    """An event that ends with CR is not held back until the next byte says whether LF follows."""
    parser = SSEParser()

    assert ["1"] == [event.data for event in parser.feed(b"data: 1\r\r", 0.0)]


def test_an_oversized_event_is_cut_and_noted() -> None:
    """10 MB in one line is a breach, not a crash."""
    stream = parse_stream(b"data: " + b"x" * (10 << 20) + b"\n\ndata: 1\n\n")

    assert ["event-too-large"] == [breach.kind for breach in stream.breaches]
    assert [MAX_EVENT, 1] == [len(event.data) for event in stream.events]


def test_a_cut_never_invents_invalid_utf_8() -> None:
    """The cut of an oversized event falls between characters."""
    stream = parse_stream(b"data: " + "é€😀".encode() * (1 << 18) + b"\n\n")

    assert ["event-too-large"] == [breach.kind for breach in stream.breaches]


def test_endless_tiny_events_end_in_a_note() -> None:
    """Memory stays bounded however many events a body has."""
    stream = parse_stream(b"data:1\n\n" * (MAX_EVENTS + 10))

    assert MAX_EVENTS == len(stream.events)
    assert "too-many-events" == stream.breaches[-1].kind


def test_sixteen_mebibytes_byte_by_byte_in_one_line_take_linear_time() -> None:
    """Each byte costs the same however long the line is (quadratic time would not end)."""
    parser = SSEParser()
    for _ in range(1 << 20):
        parser.feed(b"x", 0.0)
    parser.feed(b"y" * (15 << 20), 0.0)
    parser.finish()

    assert [] == parser.events


lines = st.sampled_from(
    [
        b"data: {}",
        b'data: {"a":"\xc3\xa9\xf0\x9f\x98\x80"}',
        b"data:x",
        b"data",
        b"",
        b"",
        b": c",
        b"id: 1",
        b"event: e",
        b"data: [DONE]",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b'{"j":1}',
    ]
)
streams = st.lists(
    st.tuples(lines, st.sampled_from([b"\n", b"\r\n", b"\r", b""])).map(b"".join), max_size=20
).map(b"".join)


def by_pieces(body: bytes, cuts: list[int]) -> EventStream:
    parser = SSEParser()
    start = 0
    for cut in [*sorted(cut % (len(body) + 1) for cut in cuts), len(body)]:
        parser.feed(body[start:cut], 0.0)
        start = cut
    parser.finish()
    return parser.result()


@steady
@given(streams | st.binary(max_size=200), st.lists(st.integers(0, 10_000), max_size=30))
@example(b"data: 1\r\n\r\ndata: 2\r\n\r\n", [8, 9, 10, 11])
@example(b"\r\n\r\n", [1, 3])
def test_the_split_of_the_bytes_changes_nothing(body: bytes, cuts: list[int]) -> None:
    """Events, comments, breaches and offsets are the same for every way the bytes arrive."""
    assert parse_stream(body) == by_pieces(body, cuts)


@steady
@given(streams | st.binary(max_size=200))
def test_one_byte_at_a_time_changes_nothing(body: bytes) -> None:
    """A server may flush after every byte, also within a character."""
    assert parse_stream(body) == by_pieces(body, list(range(len(body))))


@steady
@given(st.binary(max_size=500))
def test_arbitrary_bytes_never_raise(body: bytes) -> None:
    """Whatever a target sends becomes events and breaches with offsets inside the body."""
    stream = parse_stream(body)

    assert all(0 <= breach.offset <= len(body) for breach in stream.breaches)
    assert all(0 <= event.offset <= event.end <= len(body) for event in stream.events)


texts = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=30)


@steady
@given(
    st.lists(st.lists(texts, min_size=1, max_size=3), max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_what_is_written_by_the_grammar_is_read_back(
    events: list[list[str]], line_end: str, comments: bool
) -> None:
    """Any text survives the way through data lines, for every line end."""
    comment = f": hi{line_end}" if comments else ""
    body = "".join(
        comment + "".join(f"data: {line}{line_end}" for line in event) + line_end
        for event in events
    )
    parsed = parse_stream(body.encode())

    assert ["\n".join(event) for event in events] == [event.data for event in parsed.events]
    assert not {breach.kind for breach in parsed.illegal} & {
        "invalid-utf-8",
        "not-sse",
        "unknown-field",
        "unterminated-event",
        "dataless-event",
    }
