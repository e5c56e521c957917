"""What the server answers: text, limits, choices, usage, streams."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.reference.tokenizer import Tokenizer

TOKENIZER = Tokenizer()
MANY = next(n for n in range(300, 600) if TOKENIZER.pieces[n] == b" many" or TOKENIZER.pieces[n] == b" water")  # fmt: skip
PIECE = TOKENIZER.decode([MANY])
FORCED = {"logit_bias": {str(MANY): 100}}


def text_of(response: Any) -> str:
    choice = response.json()["choices"][0]
    return choice["text"] if "text" in choice else choice["message"]["content"]


def streamed(chunks: list[dict[str, Any]], index: int = 0) -> str:
    parts = [each for chunk in chunks for each in chunk["choices"] if each["index"] == index]
    return "".join(p["text"] if "text" in p else p["delta"].get("content") or "" for p in parts)


@pytest.mark.parametrize("temperature", [0, 1, 2])
@pytest.mark.parametrize("limit", [1, 2, 7, 32])
def test_a_forced_token_fills_the_limit_exactly(local: Any, limit: int, temperature: int) -> None:
    """The text is the piece so often, the reason is the length, usage says the same."""
    response = local.chat(max_tokens=limit, temperature=temperature, **FORCED).json()
    choice, usage = response["choices"][0], response["usage"]

    assert (PIECE * limit, "length") == (choice["message"]["content"], choice["finish_reason"])
    assert limit == usage["completion_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + limit


def test_completions_stop_after_sixteen_by_default(local: Any) -> None:
    """The documented default of ``max_tokens``."""
    assert PIECE * 16 == text_of(local.complete(**FORCED))


@pytest.mark.parametrize(
    "stop",
    [PIECE, PIECE[-1], PIECE[2:] + PIECE[:2], ["zzz", "yyy", "xxx", PIECE[2]], PIECE * 3],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True])
def test_text_ends_before_the_stop(local: Any, chunks: Any, stop: Any, stream: bool) -> None:
    """Inside a token, across tokens, in the fourth place; in a stream nothing leaks."""
    response = local.chat(max_tokens=20, stop=stop, stream=stream, **FORCED)
    text = streamed(chunks(response)) if stream else text_of(response)

    endless = PIECE * 20
    stops = [stop] if isinstance(stop, str) else stop
    assert endless[: min(at for at in map(endless.find, stops) if at >= 0)] == text


def test_tokens_of_the_stop_are_counted(local: Any) -> None:
    """The text is cut inside the second token; two tokens were generated."""
    response = local.chat(max_tokens=20, stop=PIECE[-1] + PIECE[0], **FORCED).json()

    assert ("stop", 2) == (
        response["choices"][0]["finish_reason"],
        response["usage"]["completion_tokens"],
    )


@pytest.mark.parametrize("endpoint", ["chat", "complete"])
@pytest.mark.parametrize(
    "given",
    [{"temperature": 0, "max_tokens": 120}, {"seed": 5, "max_tokens": 60, "n": 3},
     {"seed": 1, "temperature": 2, "max_tokens": 200, "stop": ["a ", "the"]}],
    ids=str,
)  # fmt: skip
def test_a_stream_has_the_text_of_a_regular_answer(
    local: Any, chunks: Any, endpoint: str, given: dict[str, Any]
) -> None:
    """Same texts, same finish reasons, same usage."""
    ask = getattr(local, endpoint)
    regular = ask(**given).json()
    stream = chunks(ask(**given, stream=True, stream_options={"include_usage": True}))

    for choice in regular["choices"]:
        text = choice["text"] if "text" in choice else choice["message"]["content"]
        assert text == streamed(stream, choice["index"])
    reasons = {
        each["index"]: each["finish_reason"]
        for chunk in stream
        for each in chunk["choices"]
        if each["finish_reason"]
    }
    assert {each["index"]: each["finish_reason"] for each in regular["choices"]} == reasons
    assert regular["usage"] == stream[-1]["usage"]


def test_a_chat_stream_opens_goes_on_and_closes(local: Any, chunks: Any) -> None:
    """Role first, content, an empty delta with the reason; one identity throughout."""
    stream = chunks(local.chat(max_tokens=4, stream=True, **FORCED))
    choices = [chunk["choices"][0] for chunk in stream]

    assert {"role": "assistant", "content": "", "refusal": None} == choices[0]["delta"]
    assert [{"content": PIECE}] * 4 == [each["delta"] for each in choices[1:-1]]
    assert ({}, "length") == (choices[-1]["delta"], choices[-1]["finish_reason"])
    assert not any("usage" in chunk for chunk in stream)
    assert 1 == len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in stream})


def test_usage_is_asked_for(local: Any, chunks: Any) -> None:
    """One more chunk with no choices; null in all others."""
    options = {"include_usage": True}
    stream = chunks(local.complete(stream=True, stream_options=options, **FORCED))

    assert ([], 16) == (stream[-1]["choices"], stream[-1]["usage"]["completion_tokens"])
    assert all(chunk["usage"] is None for chunk in stream[:-1])


def test_choices_take_turns_in_a_stream(local: Any, chunks: Any) -> None:
    """The deltas of several choices interleave."""
    stream = chunks(local.complete(stream=True, n=3, max_tokens=2, **FORCED))

    assert [0, 1, 2, 0, 1, 1, 2, 2] != [chunk["choices"][0]["index"] for chunk in stream]
    assert [0, 1, 2] == [chunk["choices"][0]["index"] for chunk in stream][:3]


def test_choices_are_independent(local: Any) -> None:
    """Thirty-two draws at temperature 1 are not one draw copied."""
    texts = {each["text"] for each in local.complete(n=32, max_tokens=4).json()["choices"]}

    assert len(texts) > 5


def test_a_seed_repeats_and_another_differs(local: Any) -> None:
    """Same seed, same text."""
    one, two, other = (text_of(local.chat(seed=seed, max_tokens=30)) for seed in (1, 1, 2))

    assert one == two
    assert one != other


def test_usage_counts_the_prompt_once_and_all_choices(local: Any) -> None:
    """n multiplies completion tokens only."""
    single = local.chat(max_tokens=5, **FORCED).json()["usage"]
    triple = local.chat(max_tokens=5, n=3, **FORCED).json()["usage"]

    assert single["prompt_tokens"] == triple["prompt_tokens"]
    assert (5, 15) == (single["completion_tokens"], triple["completion_tokens"])


def test_a_batch_answers_prompt_by_prompt(local: Any) -> None:
    """Two prompts with two choices each: indices 0 to 3; the prompts' tokens add up."""
    batch = local.complete(["one", "two three"], n=2, echo=True, max_tokens=1).json()
    single = [
        local.complete(each, max_tokens=1).json()["usage"]["prompt_tokens"]
        for each in ("one", "two three")
    ]

    assert [0, 1, 2, 3] == [each["index"] for each in batch["choices"]]
    assert ["one", "one", "two", "two"] == [each["text"][:3] for each in batch["choices"]]
    assert sum(single) == batch["usage"]["prompt_tokens"]


def test_token_arrays_count_one_by_one(local: Any) -> None:
    """A prompt of ids has as many tokens as it has ids, and echoes as their text."""
    response = local.complete([MANY] * 7, echo=True, max_tokens=0).json()

    assert (7, PIECE * 7) == (response["usage"]["prompt_tokens"], response["choices"][0]["text"])


def test_chat_log_probabilities_tell_the_text(local: Any) -> None:
    """One entry a token, alternatives in order, the greedy choice first, bytes join to the text."""
    response = local.chat(temperature=0, logprobs=True, top_logprobs=3, max_tokens=40).json()
    choice = response["choices"][0]
    entries = choice["logprobs"]["content"]

    assert response["usage"]["completion_tokens"] == len(entries)
    joined = b"".join(bytes(each["bytes"]) for each in entries)
    assert choice["message"]["content"] == joined.decode("utf-8", "replace")
    for each in entries:
        values = [other["logprob"] for other in each["top_logprobs"]]
        assert values == sorted(values, reverse=True)
        assert (each["logprob"], 3) == (values[0], len(values))
        assert each["logprob"] <= 0


def test_completion_log_probabilities_cover_an_echoed_prompt(local: Any) -> None:
    """The four lists have one length; nothing stands before the first token."""
    choice = local.complete("Boil the water", echo=True, logprobs=2, max_tokens=3).json()[
        "choices"
    ][0]
    lists = choice["logprobs"]

    assert choice["text"] == "".join(lists["tokens"])
    assert 1 == len({len(each) for each in lists.values()})
    assert lists["token_logprobs"][0] is None
    assert all(value < 0 for value in lists["token_logprobs"][1:])
    assert [choice["text"].index(lists["tokens"][0]), *[
        sum(map(len, lists["tokens"][:at])) for at in range(1, len(lists["tokens"]))
    ]] == lists["text_offset"]  # fmt: skip


def test_logprobs_zero_has_no_alternatives(local: Any) -> None:
    """0 asks for the sampled tokens alone."""
    lists = local.complete(logprobs=0, max_tokens=2).json()["choices"][0]["logprobs"]

    assert (2, None) == (len(lists["token_logprobs"]), lists["top_logprobs"])


def test_streamed_log_probabilities_equal_the_regular_ones(local: Any, chunks: Any) -> None:
    """Also where a stop sequence held text back."""
    given = {"seed": 4, "logprobs": True, "top_logprobs": 1, "max_tokens": 30, "stop": "e o"}
    regular = local.chat(**given).json()["choices"][0]["logprobs"]["content"]
    stream = chunks(local.chat(**given, stream=True))
    found = [chunk["choices"][0]["logprobs"] for chunk in stream]

    assert regular == [entry for each in found if each for entry in each["content"]]


def test_best_of_returns_the_likeliest(local: Any) -> None:
    """Of the candidates of one seed, the one with the greatest mean log probability."""
    given = {"seed": 9, "max_tokens": 6}
    all_four = local.complete(n=4, logprobs=0, **given).json()["choices"]
    best = local.complete(n=1, best_of=4, **given).json()

    def mean(choice: dict[str, Any]) -> float:
        values = choice["logprobs"]["token_logprobs"]
        return sum(values) / max(1, len(values))

    assert max(all_four, key=mean)["text"] == best["choices"][0]["text"]
    assert 24 >= best["usage"]["completion_tokens"] > 6


def test_a_suffix_is_part_of_the_prompt(local: Any) -> None:
    """It costs tokens and changes the answer."""
    plain = local.complete(temperature=0).json()
    infill = local.complete(temperature=0, suffix=" and serve.").json()

    assert infill["usage"]["prompt_tokens"] > plain["usage"]["prompt_tokens"]
    assert infill["choices"][0]["text"] != plain["choices"][0]["text"]


def test_content_parts_are_their_text(local: Any) -> None:
    """One text part is the same as plain content."""
    plain = local.chat("Hi", temperature=0, max_tokens=20).json()
    parts = local.chat(
        temperature=0,
        max_tokens=20,
        messages=[{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    ).json()

    assert plain["usage"] == parts["usage"]
    assert plain["choices"] == parts["choices"]


@pytest.mark.parametrize("text", ["😀 水", "a\u2028b\u0085c", "\x00", "é" * 50])
def test_any_text_is_echoed(local: Any, chunks: Any, text: str) -> None:
    """In both modes; line separators of other standards are escaped on the wire."""
    regular = local.complete(text, echo=True, max_tokens=1, **FORCED)
    stream = local.complete(text, echo=True, max_tokens=1, stream=True, **FORCED)

    assert text + PIECE == text_of(regular)
    assert text + PIECE == streamed(chunks(stream))
    assert "\u2028" not in stream.text


def test_statistics_count_what_was_answered(local: Any) -> None:
    """Requests and tokens, regular and streamed."""
    local.chat(max_tokens=5, **FORCED)
    local.chat(max_tokens=7, stream=True, **FORCED)

    seen = local.app.statistics
    assert (2, 12, 0) == (seen.requests, seen.completion_tokens, seen.in_flight)


def test_an_echoed_answer_is_scored_as_it_was_generated(local: Any, tokenizer: Any) -> None:
    """The log probability of a token depends on what stands before it, not on who wrote it."""
    given = {"logprobs": 0, "seed": 11}
    tokens = list(tokenizer.encode("Boil the"))
    generated = local.complete([tokens], max_tokens=12, **given).json()["choices"][0]
    again = [
        *tokens,
        *(i for one in generated["logprobs"]["tokens"] for i in tokenizer.encode(one)),
    ]
    echoed = local.complete([again], max_tokens=0, echo=True, **given).json()["choices"][0]

    assert generated["logprobs"]["tokens"] == echoed["logprobs"]["tokens"][len(tokens) :]
    assert generated["logprobs"]["token_logprobs"] == pytest.approx(
        echoed["logprobs"]["token_logprobs"][len(tokens) :]
    )
