"""Stop sequences and characters that arrive in pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conformance.reference.stops import StopMatcher, TextStream

LETTERS = st.text("ab", max_size=12)
STOPS = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=4)


def fed(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    matcher, shown = StopMatcher(stops), ""
    for piece in pieces:
        shown += matcher.feed(piece)
        if matcher.stopped:
            return shown, True
    return shown + matcher.flush(), False


@given(STOPS, LETTERS)
def test_text_in_one_piece_is_cut_before_the_earliest_occurrence(
    stops: list[str], text: str
) -> None:
    """What is shown ends where the first stop sequence begins."""
    cuts = [at for at in map(text.find, stops) if at >= 0]

    assert (text[: min(cuts, default=len(text))], bool(cuts)) == fed(stops, [text])


@given(st.text("ab", min_size=1, max_size=4), LETTERS)
def test_one_stop_is_found_wherever_the_pieces_are_cut(stop: str, text: str) -> None:
    """With one stop sequence the cut does not depend on token borders."""
    assert fed([stop], [text]) == fed([stop], list(text))


@given(STOPS, st.lists(LETTERS))
def test_no_stop_is_ever_shown(stops: list[str], pieces: list[str]) -> None:
    """The text never contains a stop sequence, and is always the beginning of what was fed."""
    shown, _ = fed(stops, pieces)

    assert not any(stop in shown for stop in stops)
    assert "".join(pieces).startswith(shown)


@given(STOPS, LETTERS)
def test_only_the_beginning_of_a_stop_is_held_back(stops: list[str], text: str) -> None:
    """What is not shown yet could still become a stop sequence."""
    matcher = StopMatcher(stops)
    shown = matcher.feed(text)

    held = text[len(shown) :] if not matcher.stopped else ""
    assert not held or any(stop.startswith(held) for stop in stops)


def test_an_empty_string_stops_nothing() -> None:
    """An empty stop sequence occurs everywhere and is therefore ignored."""
    assert ("abc", False) == fed([""], ["abc"])


@given(st.text(), st.data())
def test_characters_are_shown_whole(text: str, data: st.DataObject) -> None:
    """However the bytes are cut, no half character is shown and nothing is lost."""
    raw, stream, shown = text.encode(), TextStream(), []
    while raw:
        size = data.draw(st.integers(1, 3))
        shown.append(stream.feed(raw[:size]))
        raw = raw[size:]

    assert text == "".join(shown) + stream.flush()


@given(st.binary(max_size=12))
def test_bytes_that_are_no_text_become_replacement_characters(raw: bytes) -> None:
    """Byte by byte or at once, the text is the same."""
    stream = TextStream()
    shown = "".join(stream.feed(raw[at : at + 1]) for at in range(len(raw)))

    assert raw.decode("utf-8", "replace") == shown + stream.flush()


def oracle(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    """Plain text search: the first token that completes a stop sequence ends the text."""
    text = ""
    for piece in pieces:
        text += piece
        cuts = [at for at in map(text.find, stops) if at >= 0]
        if cuts:
            return text[: min(cuts)], True
    return text, False


@given(STOPS, st.lists(LETTERS))
def test_shown_text_is_what_a_plain_search_leaves(stops: list[str], pieces: list[str]) -> None:
    """For any stop sequences and any way the text is cut into tokens."""
    assert oracle(stops, pieces) == fed(stops, pieces)


@given(st.lists(st.text("aé😀", min_size=1, max_size=3), min_size=1, max_size=4), st.text("aé😀"))
def test_half_characters_hide_no_stop(stops: list[str], text: str) -> None:
    """Byte by byte the text is cut as character by character."""
    stream, shown = TextStream(stops), ""
    for byte in text.encode():
        shown += stream.feed(bytes([byte]))
        if stream.stopped:
            break
    else:
        shown += stream.flush()

    assert oracle(stops, list(text)) == (shown, stream.stopped)
