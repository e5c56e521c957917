"""The forced-token oracle and the other lessons, on honest servers of many kinds."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.checks.api import Untestable
from conformance.checks.context import Context, Subject
from conformance.checks.oracle import (
    FORCED_TOKENS,
    MOST_REQUESTS,
    Piece,
    greedy,
    natural,
    oracle,
    oracle_here,
    period,
    pieces_of,
    reasoning,
    samples,
)
from conformance.reference.mutants import build
from conformance.reference.mutants.honest import honest
from conformance.reference.service import MODELS
from conformance.schema.profiles import load_profile
from conformance.verdicts import Mode
from conformance.wire.asgi import ASGIWire

PIECES = st.text("abc ", min_size=1, max_size=4).filter(str.strip)


class _Asker:
    """Sends every request once and remembers it by repetition."""

    def __init__(self, wire):
        self.wire, self.known, self.sent = wire, {}, 0

    async def ask(self, request, repetition, phase):
        key = (request.identity, repetition)
        if repetition is None or key not in self.known:
            self.sent += 1
            self.known[key] = await self.wire.send(request, id="x", repetition=0, phase="ordinary")
        return self.known[key]

    async def learn(self, ctx, lesson):
        return await lesson(ctx.on(mode=Mode.REGULAR))


def _lesson(built, lesson, endpoint="chat", mode=Mode.REGULAR, profile="deeptrin"):
    """What ``lesson`` finds out about a server, and how many requests it took."""

    async def run():
        known = load_profile(profile)
        async with ASGIWire(built.app, keys={"key": built.key}) as wire:
            asker = _Asker(wire)
            subject = Subject("http://testserver/v1", built.model, has_key=True)
            ctx = Context(asker, subject, known, known.endpoints[endpoint], mode)
            return await lesson(ctx), asker.sent

    return asyncio.run(run())


def _text_of(built, number):
    """The text of a token, by the reference's own vocabulary."""
    return built.app.service.model({"model": MODELS[0]}).tokenizer.decode([number])


def _stripping(app):
    """``app`` whose regular texts lose white space at both ends."""

    def strip(document):
        for choice in document.get("choices", []):
            if "message" in choice:
                choice["message"]["content"] = (choice["message"]["content"] or "").strip()
            else:
                choice["text"] = choice["text"].strip()
        return document

    return _with_document(app, strip)


def _with_document(app, change):
    async def changed(scope, receive, send):
        parts = []

        async def collect(message):
            if message["type"] == "http.response.start":
                fields = [(k, v) for k, v in message["headers"] if k != b"content-length"]
                await send({**message, "headers": fields})
            else:
                parts.append(message.get("body", b""))

        await app(scope, receive, collect)
        body = json.dumps(change(json.loads(b"".join(parts)))).encode()
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return changed


def _small_vocabulary(app, size):
    """``app`` that refuses ids from ``size`` on, as a byte-level model does."""

    async def small(scope, receive, send):
        message = await receive()
        bias = json.loads(message["body"]).get("logit_bias") or {}
        if any(int(number) >= size for number in bias):
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body", "body": b"{}", "more_body": False})
            return

        async def again():
            return message

        await app(scope, again, send)

    return small


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
@pytest.mark.parametrize("variant", ["plain", "noise", "hidden-top-k", "no-greedy-n"])
def test_the_pieces_are_the_texts_of_their_tokens(variant, endpoint):
    """Every piece found by forcing is what the tokenizer says, from few requests."""
    built = honest(variant=variant)

    known, sent = _lesson(built, oracle, endpoint)

    assert {p.id: _text_of(built, p.id) for p in known.pieces} == {
        p.id: p.text for p in known.pieces
    }
    assert len(known.pieces) >= 8
    assert len(known.words) >= 4
    assert sent <= MOST_REQUESTS <= 30


def test_the_best_piece_is_a_word_of_several_different_letters():
    """What most checks force can be cut inside and survives any stripping."""
    known, _ = _lesson(honest(), oracle)

    assert known.best.word
    assert known.best.distinct
    assert len(known.best.text) >= 3
    assert known.divisible(3) == known.best


def test_a_server_that_strips_white_space_gives_the_same_words():
    """The lesson does not depend on a leading space that a server may take away."""
    built = honest()
    stripping = type(built)(_stripping(built.app), built.model, built.key)

    known, _ = _lesson(stripping, oracle)

    assert {p.id: _text_of(built, p.id) for p in known.pieces} == {
        p.id: p.text for p in known.pieces
    }


def test_a_small_vocabulary_is_enough():
    """Fewer than 300 ids: the pieces are single letters, found within the same bound."""
    built = honest()
    small = type(built)(_small_vocabulary(built.app, 200), built.model, built.key)

    known, sent = _lesson(small, oracle)

    assert all(p.id < 200 for p in known.pieces)
    assert len(known.words) >= 4
    assert sent <= MOST_REQUESTS
    with pytest.raises(Untestable):
        known.divisible(2)


@pytest.mark.parametrize(
    ("built", "reason"),
    [
        (honest(variant="no-logit-bias"), "logit_bias is refused"),
        (honest(variant="reasoning"), "reasoning"),
        (build("logit-bias-ignored"), "does not force its token"),
        (build("logit-bias-clamped"), "does not force its token"),
        (build("n-counts-from-one"), "no choice of index 0"),
    ],
    ids=["refused", "reasoning", "ignored", "clamped", "no-index-0"],
)
def test_without_an_oracle_the_reason_is_told(built, reason):
    """What cannot be had is untestable, with the reason in the message."""
    with pytest.raises(Untestable, match=f"^no forced-token oracle: .*{reason}"):
        _lesson(built, oracle)


@pytest.mark.parametrize(
    "name", ["max-tokens-one-more", "max-tokens-one-less", "usage-exceeds-max-tokens"]
)
def test_the_oracle_relies_neither_on_the_limit_nor_on_usage(name):
    """Both are judged with its help, so it must be there when they are wrong."""
    built = build(name)

    known, _ = _lesson(built, oracle)

    assert len(known.pieces) >= 8


def test_a_server_without_a_limit_is_asked_less():
    """Where max_tokens bounds nothing, two pieces are enough."""
    _, sent = _lesson(build("max-tokens-ignored"), oracle)

    assert sent <= 8


def test_a_stream_that_forces_nothing_has_no_oracle():
    """The oracle is seen to work in the mode that it is used in."""
    with pytest.raises(Untestable, match="streams"):
        _lesson(build("logit-bias-ignored-in-stream"), oracle_here, mode=Mode.STREAM)


def test_greedy_output_of_the_reference_is_repeatable():
    """Six identical requests at temperature 0 give one text; with noise that is not said."""
    still, sent = _lesson(honest(), greedy)

    assert still.repeatable
    assert 1 == still.distinct
    assert 6 == sent
    assert "the same text each time" in still.finding


def test_one_request_buys_many_samples_where_n_is_honoured():
    """n=32 gives 32 choices, and one where n is ignored."""
    many, _ = _lesson(honest(), samples)
    one, _ = _lesson(build("n-ignored"), samples)

    assert 32 == many.per_request
    assert 1 == one.per_request


def test_reasoning_is_told_by_its_traces():
    """A model that thinks first is told from one that does not."""
    thinking, _ = _lesson(honest(variant="reasoning"), reasoning)
    plain, _ = _lesson(honest(), reasoning)

    assert thinking.found
    assert not plain.found


def test_the_natural_end_is_looked_at():
    """A short answer's finish reason and length are learned."""
    seen, sent = _lesson(honest(), natural)

    assert 1 == sent
    assert seen.finish_reason in ("stop", "length")
    assert seen.ended is (seen.finish_reason == "stop")


@given(PIECES, st.integers(3, 12))
def test_the_period_of_a_repetition_is_found(piece, count):
    """piece × count is a whole number of repetitions of its period, at least count of them."""
    found = period(piece * count)

    assert found is not None
    assert found[0] * found[1] == piece * count
    assert found[1] % count == 0


@given(st.text("abc", min_size=1, max_size=4), st.integers(3, 12))
def test_a_stripped_space_is_put_back(piece, count):
    """The period is found although the outer space of the text was taken away."""
    text = (f" {piece}" * count).strip()

    found = period(text)

    assert found == (f" {piece}", count)


@given(st.text("ab", max_size=24))
def test_a_period_means_three_times_at_least(text):
    """What is no repetition has no period."""
    found = period(text)

    assert found is None or (found[1] >= 3 and (found[0] * found[1]).strip() == text.strip())


@given(st.lists(PIECES, min_size=1, max_size=5), st.data())
def test_a_text_made_of_pieces_is_taken_apart(pieces, data):
    """Any concatenation is recognised, and what comes back concatenates to the text."""
    drawn = data.draw(st.lists(st.sampled_from(pieces), max_size=12))

    found = pieces_of("".join(drawn), pieces)

    assert found is not None
    assert "".join(found) == "".join(drawn)
    assert set(found) <= set(pieces)


def test_a_foreign_text_is_not_taken_apart():
    """One character too many is enough, and a text of hostile length is refused at once."""
    assert pieces_of("ingin", ["ing"]) is None
    assert pieces_of("ing" * 1_000_000, ["ing"]) is None
    assert pieces_of("xaba", ["a", "ab"]) is None


def test_pieces_know_what_they_are():
    """Words are ASCII letters; distinct means no letter twice."""
    assert Piece(1, "ing").word
    assert not Piece(1, " ing").word
    assert not Piece(1, "été").word
    assert Piece(1, "ing").distinct
    assert not Piece(1, "ee").distinct
    assert 8 == FORCED_TOKENS
