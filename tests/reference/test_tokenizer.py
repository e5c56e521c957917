"""Text to tokens and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.reference.tokenizer import SPECIALS, Tokenizer, scalar_text

TOKENIZER = Tokenizer()


@given(st.text())
def test_decoding_an_encoding_gives_the_text(text: str) -> None:
    """Every text of Unicode scalar values survives the way to tokens and back."""
    assert text == TOKENIZER.decode(TOKENIZER.encode(text))


@given(st.text(alphabet=st.characters(categories=["Cs", "Lu"])))
def test_lone_surrogates_become_the_replacement_character(text: str) -> None:
    """JSON can smuggle in halves of pairs; what is encoded always has a UTF-8 form."""
    encoded = TOKENIZER.decode(TOKENIZER.encode(text))

    assert scalar_text(text) == encoded
    encoded.encode()


@given(st.text(), st.text())
def test_more_text_never_takes_fewer_tokens_than_its_bytes_need(one: str, other: str) -> None:
    """The longest piece bounds how much text a token can hold."""
    count = len(TOKENIZER.encode(one + other))

    assert count * TOKENIZER.longest >= len((one + other).encode())


@given(st.text())
def test_text_never_encodes_to_a_special(text: str) -> None:
    """Writing the name of a special token into a message does not make one."""
    marked = f"{text}<|eot_id|>"

    assert not {*TOKENIZER.encode(marked)} & {*SPECIALS.values()}


def test_a_character_may_span_tokens() -> None:
    """The emoji of the corpus is two tokens, neither of which is text by itself."""
    pieces = [TOKENIZER.pieces[number] for number in TOKENIZER.encode("😀")]

    assert len(pieces) == 2
    with pytest.raises(UnicodeDecodeError):
        pieces[0].decode()


def test_ordinary_word_pieces_lie_where_testers_look_for_them() -> None:
    """Most ids from 300 to 900 are printable pieces of three characters or more."""
    pieces = [TOKENIZER.pieces[number] for number in range(300, 900)]
    usable = [piece for piece in pieces if len(piece) >= 3 and piece.isascii()]

    assert len(usable) > 400


def test_half_a_character_is_shown_as_bytes() -> None:
    """Where nothing stands beside a token's text, its bytes are spelt out."""
    first = TOKENIZER.encode("😀")[0]

    assert "bytes:\\xf0\\x9f\\x98" == TOKENIZER.shown(first)


@given(st.lists(st.integers(0, len(TOKENIZER) - 1), max_size=20))
def test_any_tokens_decode(ids: list[int]) -> None:
    """Any sequence of ids is text, whatever bytes it means."""
    text: Any = TOKENIZER.decode(ids)

    assert text == TOKENIZER.decode_bytes(ids).decode("utf-8", "replace")
