"""``text_offset`` of the completions endpoint: where each token begins in the text."""

from __future__ import annotations

from typing import Any

import pytest

#: Tokens of "é", byte by byte, and of a whole word.
BYTES, WORD = (0xC3, 0xA9), 400


def lists(choice: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = choice["logprobs"]
    return found


def streamed(events: list[dict[str, Any]]) -> tuple[str, list[int], list[str]]:
    """Text, offsets and tokens of a stream with one choice."""
    text, offsets, tokens = "", [], []
    for event in events:
        choice = event["choices"][0]
        text += choice["text"]
        if choice["logprobs"]:
            offsets += lists(choice)["text_offset"]
            tokens += lists(choice)["tokens"]
    return text, offsets, tokens


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("stop", [None, ["oa qx", "th qz"]])
def test_every_token_begins_where_its_offset_says(
    local: Any, chunks: Any, echo: bool, stop: Any
) -> None:
    """In both modes, behind an echoed prompt and while a possible stop sequence is held back."""
    given = {
        "echo": echo, "stop": stop, "logprobs": 0, "max_tokens": 40, "temperature": 0,
    }  # fmt: skip
    regular = local.complete("Boil the water", **given).json()["choices"][0]
    stream = streamed(chunks(local.complete("Boil the water", **given, stream=True)))

    offsets, tokens = lists(regular)["text_offset"], lists(regular)["tokens"]
    assert (regular["text"], offsets, tokens) == stream
    assert all(
        regular["text"].startswith(token, at)
        for token, at in zip(tokens, offsets, strict=True)
        if not token.startswith("bytes:")
    )


def test_halves_of_a_character_begin_where_it_does(local: Any) -> None:
    """The prompt " ask" 'é' " ask" in token ids: two of them make one character."""
    choice = local.complete([[WORD, *BYTES, WORD]], echo=True, logprobs=0, max_tokens=0).json()[
        "choices"
    ][0]
    at = choice["text"].index("é")

    assert [0, at, at, at + 1] == lists(choice)["text_offset"]


def test_a_suffix_is_not_echoed(local: Any) -> None:
    """The log probabilities of an echo are those of its text."""
    choice = local.complete(
        "Boil the", suffix=" for the pasta.", echo=True, logprobs=0, max_tokens=2
    ).json()["choices"][0]

    assert choice["text"] == "".join(lists(choice)["tokens"])
