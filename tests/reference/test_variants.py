"""Honest variants: lawful behaviour that differs from the plain server's."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.reference.variants import Variant


def content(response: Any) -> str:
    return response.json()["choices"][0]["message"]["content"]


def test_noise_sometimes_changes_a_greedy_text(varied: Any, local: Any) -> None:
    """Near ties fall either way; the plain server's never do."""
    noisy = varied(Variant(noise=0.5))
    texts = {content(noisy.chat(temperature=0, max_tokens=80)) for _ in range(8)}

    assert len(texts) > 1
    assert 1 == len({content(local.chat(temperature=0, max_tokens=80)) for _ in range(3)})


def test_noise_keeps_the_sampled_token_the_likeliest(varied: Any) -> None:
    """Log probabilities come from the very logits that were sampled."""
    noisy = varied(Variant(noise=0.5))
    reply = noisy.chat(temperature=0, logprobs=True, top_logprobs=1, max_tokens=60).json()

    for entry in reply["choices"][0]["logprobs"]["content"]:
        assert entry["top_logprobs"][0]["logprob"] == entry["logprob"]


def test_a_hidden_top_k_bounds_the_candidates(varied: Any) -> None:
    """However hot, no more than so many first tokens are seen."""
    narrow = varied(Variant(top_k=3))
    choices = narrow.complete(n=128, max_tokens=1, temperature=2).json()["choices"]

    assert len({each["text"] for each in choices}) <= 3


def test_several_greedy_choices_may_be_refused(varied: Any) -> None:
    """``n`` > 1 with temperature 0 is 400, otherwise fine."""
    server = varied("no-greedy-n")
    statuses = [server.chat(n=2, temperature=heat, max_tokens=1).status_code for heat in (0, 0.5)]

    assert [400, 200] == statuses


@pytest.mark.parametrize(
    ("variant", "given"),
    [("no-logit-bias", {"logit_bias": {"300": 1}}), ("no-logprobs", {"logprobs": True}),
     ("withdrawn-parameters", {"presence_penalty": 1})],
)  # fmt: skip
def test_withdrawn_parameters_are_refused_by_name(
    varied: Any, variant: str, given: dict[str, Any]
) -> None:
    """400 ``unsupported_parameter``; null is still the same as leaving out."""
    server, (name,) = varied(variant), given
    error = server.chat(**given).json()["error"]

    assert (name, "unsupported_parameter") == (error["param"], error["code"])
    assert 200 == server.chat(max_tokens=1, **{name: None}).status_code


def test_a_reasoning_model_thinks_first(varied: Any) -> None:
    """Thoughts beside the answer; both count, and the details say how many were thoughts."""
    reply = varied("reasoning").chat(temperature=0).json()
    message, usage = reply["choices"][0]["message"], reply["usage"]
    thought = usage["completion_tokens_details"]["reasoning_tokens"]

    assert message["reasoning_content"]
    assert message["content"]
    assert 0 < thought < usage["completion_tokens"]


def test_a_reasoning_model_may_have_no_answer_at_the_limit(varied: Any) -> None:
    """The limit counts thoughts."""
    reply = varied("reasoning").chat(max_tokens=5).json()

    assert ("", "length", 5) == (
        reply["choices"][0]["message"]["content"],
        reply["choices"][0]["finish_reason"],
        reply["usage"]["completion_tokens_details"]["reasoning_tokens"],
    )


def test_thoughts_are_streamed_too(varied: Any, chunks: Any) -> None:
    """``reasoning_content`` deltas come before content."""
    server = varied("reasoning")
    stream = chunks(server.chat(temperature=0, stream=True))
    deltas = [chunk["choices"][0]["delta"] for chunk in stream]
    thoughts = "".join(each.get("reasoning_content", "") for each in deltas)
    message = server.chat(temperature=0).json()["choices"][0]["message"]

    assert message["reasoning_content"] == thoughts
    assert message["content"] == "".join(each.get("content") or "" for each in deltas)
