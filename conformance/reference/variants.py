"""Honest variants: legal behaviour that differs from the plain reference server's.

Each is a lawful choice that real endpoints make. None of them is a defect, so none of them may be
accused of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["PLAIN", "VARIANTS", "Variant"]


@dataclass(frozen=True, slots=True)
class Variant:
    """Options of the reference server; the defaults are the plain server.

    ``noise``           σ of Gaussian jitter on every logit, anew at each token, as summation order
                        on batched GPUs causes; near ties then fall either way.
    ``top_k``           a hidden default: only so many tokens are ever candidates.
    ``min_p``           a hidden default: what is less likely than this share of the likeliest
                        token is dropped before temperature is applied.
    ``refuse_greedy_n`` ``n`` > 1 with temperature 0 is refused with 400.
    ``withdrawn``       parameters that this deployment refuses with 400 ``unsupported_parameter``.
    ``reasoning``       thinks first: ``reasoning_content``, ``reasoning_tokens``; the token limit
                        counts both, so the content may be empty at the limit.
    ``latency``         seconds before each generation starts.
    ``token_delay``     seconds between tokens, so that a stream takes time as a real one does.
    """

    noise: float = 0.0
    top_k: int | None = None
    min_p: float = 0.0
    refuse_greedy_n: bool = False
    withdrawn: frozenset[str] = frozenset()
    reasoning: bool = False
    latency: float = 0.0
    token_delay: float = 0.0


PLAIN = Variant()

_LOGPROBS = frozenset({"logprobs", "top_logprobs"})
_WITHDRAWN = frozenset({"presence_penalty", "frequency_penalty", "logit_bias", "n", "best_of"})

#: Name → options of the variants that can be asked for by name.
VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        "plain": PLAIN,
        "noise": Variant(noise=0.05),
        "hidden-top-k": Variant(top_k=20),
        "hidden-min-p": Variant(min_p=0.05),
        "no-greedy-n": Variant(refuse_greedy_n=True),
        "no-logit-bias": Variant(withdrawn=frozenset({"logit_bias"})),
        "no-logprobs": Variant(withdrawn=_LOGPROBS),
        "reasoning": Variant(reasoning=True),
        "withdrawn-parameters": Variant(withdrawn=_WITHDRAWN),
    }
)
