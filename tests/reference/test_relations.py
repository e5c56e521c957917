"""The sampler seen from outside: relations between answers that the formulas imply.

Numbers of the relations (M22 …) are those of the literature on the formulas: penalties are
subtracted from logits, bias is added to them, temperature divides them.
"""

from __future__ import annotations

from itertools import pairwise, takewhile
from math import exp, log
from typing import Any

import pytest

#: Two tokens that a bias makes the only ones.
ONE, OTHER = 400, 500


def text_of(tokenizer: Any, token: int) -> str:
    shown: str = tokenizer.token_text(token)
    return shown


def greedy(local: Any, bias: dict[int, int], **given: Any) -> str:
    asked = {"temperature": 0, "logit_bias": {str(k): v for k, v in bias.items()}, **given}
    content: str = local.chat(**asked).json()["choices"][0]["message"]["content"]
    return content


def leading(text: str, piece: str) -> int:
    """How often ``piece`` stands at the beginning of ``text``."""
    pieces = (text[at : at + len(piece)] for at in range(0, len(text), len(piece)))
    return len(list(takewhile(piece.__eq__, pieces)))


def share(local: Any, seed: int, bias: dict[int, int], **given: Any) -> float:
    """How often ``ONE`` is drawn first: 128 choices of one request, four times."""
    asked = {"temperature": 1, "max_tokens": 1, "n": 128, "logprobs": 0, **given}
    texts = [
        choice["logprobs"]["tokens"][0]
        for turn in range(4)
        for choice in local.complete(
            logit_bias={str(k): v for k, v in bias.items()}, seed=seed + turn, **asked
        ).json()["choices"]
    ]
    ones = texts.count(local.pieces[ONE])
    assert len(texts) == ones + texts.count(local.pieces[OTHER])
    return float(ones / len(texts))


def odds(probability: float) -> float:
    return log(probability / (1 - probability))


@pytest.fixture
def coin(local: Any, tokenizer: Any) -> Any:
    """A server whose pieces are known, and the bias at which both sides are about as likely."""
    local.pieces = [tokenizer.token_text(number) for number in range(len(tokenizer))]
    top = local.complete(
        logprobs=2, max_tokens=1, temperature=0, logit_bias={str(ONE): 100, str(OTHER): 100}
    )
    assert 200 == top.status_code
    scored = local.complete([[*PROMPT, ONE], [*PROMPT, OTHER]], echo=True, logprobs=0, max_tokens=0)
    one, other = (choice["logprobs"]["token_logprobs"][-1] for choice in scored.json()["choices"])
    local.gap = round(one - other)
    local.rest = (one - other) - local.gap
    return local


PROMPT = [300, 301, 302]


def tossed(coin: Any, difference: int, seed: int = 1, **given: Any) -> float:
    bias = {ONE: 100 - coin.gap + difference, OTHER: 100}
    bias = {token: value - max(bias.values()) + 100 for token, value in bias.items()}
    return share(coin, seed, bias, prompt=PROMPT, **given)


@pytest.mark.parametrize("penalty", [1, 2])
def test_a_forced_run_ends_when_its_penalty_has_eaten_the_bias(
    local: Any, tokenizer: Any, penalty: int
) -> None:
    """M22, M23: after about 100 / frequency_penalty tokens, and neither at once nor never."""
    text = greedy(local, {ONE: 100}, frequency_penalty=penalty, max_tokens=220)

    assert 75 / penalty <= leading(text, text_of(tokenizer, ONE)) <= 150 / penalty


@pytest.mark.parametrize("penalty", [1, 2])
def test_a_run_grows_with_the_bias_by_a_step_for_each_penalty(
    local: Any, tokenizer: Any, penalty: int
) -> None:
    """M24: 20 more of bias make 20 / frequency_penalty more tokens."""
    piece = text_of(tokenizer, ONE)
    runs = [
        leading(
            greedy(local, {ONE: 100, OTHER: lower}, frequency_penalty=penalty, max_tokens=100),
            piece,
        )
        for lower in (70, 50, 30)
    ]

    assert [20 // penalty] * 2 == [later - sooner for sooner, later in pairwise(runs)]


def test_a_presence_penalty_does_not_accumulate(local: Any, tokenizer: Any) -> None:
    """M25: a forced token stays forced."""
    text = greedy(local, {ONE: 100}, presence_penalty=2, max_tokens=60)

    assert text_of(tokenizer, ONE) * 60 == text


def test_logits_are_divided_by_the_temperature(coin: Any) -> None:
    """M66: the log odds at temperature 2 are half of those at 1."""
    cool, warm = tossed(coin, 2), tossed(coin, 2, temperature=2)
    expected = 2 + coin.rest

    assert abs(odds(cool) - expected) < 0.9
    assert abs(odds(warm) - expected / 2) < 0.6


def test_bias_is_added_before_the_temperature_divides(coin: Any) -> None:
    """M67: two more of bias shift the log odds by 2 / temperature."""
    for temperature in (1, 2):
        below = tossed(coin, -1, temperature=temperature)
        above = tossed(coin, 1, temperature=temperature)

        assert abs(odds(above) - odds(below) - 2 / temperature) < 0.8


def test_the_nucleus_is_cut_after_the_temperature(coin: Any) -> None:
    """M68: one of two sides is left where it has the mass, at that temperature."""
    likelier = 1 / (1 + exp(-(2 + coin.rest)))
    warmer = 1 / (1 + exp(-(2 + coin.rest) / 2))
    between = (likelier + warmer) / 2

    assert 1 == tossed(coin, 2, top_p=between)
    assert 1 > tossed(coin, 2, top_p=between, temperature=2)


def test_a_repetition_penalty_sees_the_prompt_and_the_others_do_not(local: Any) -> None:
    """M30 to M32: at the first token only a penalty on the prompt can change the winner."""
    flips: dict[str, int] = {}
    for penalties in (
        {"repetition_penalty": 2.0},
        {"presence_penalty": 2.0, "frequency_penalty": 2.0},
    ):
        for token in range(380, 392):
            given = {"max_tokens": 1, "temperature": 0, "logit_bias": {str(token): 80, "600": 55}}
            for where, prompt in (("in", [token] * 3), ("out", [700] * 3)):
                plain, changed = (
                    local.complete([prompt], **given, **more).json()["choices"][0]["text"]
                    for more in ({}, penalties)
                )
                key = f"{min(penalties)} {where}"
                flips[key] = flips.get(key, 0) + (plain != changed)

    assert flips == {
        "repetition_penalty in": 12,
        "repetition_penalty out": 0,
        "frequency_penalty in": 0,
        "frequency_penalty out": 0,
    }
