"""Which word each way of breaking a documented parameter deserves.

For each parameter there is a mutant that ignores it, one that honours a part of its range, one that
turns it round or is off by one where that makes sense, and one that honours it in one mode only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from conformance.engine.events import Result
from conformance.reference.mutants import Mutant
from conformance.verdicts import Verdict

#: Parameter → the mutant that accepts it and ignores it.
IGNORED = {
    "frequency_penalty": "frequency-penalty-ignored",
    "logit_bias": "logit-bias-ignored",
    "max_tokens": "max-tokens-ignored",
    "messages": "messages-ignored",
    "model": "unknown-model-served",
    "n": "n-ignored",
    "presence_penalty": "presence-penalty-ignored",
    "prompt": "prompt-ignored",
    "repetition_penalty": "repetition-penalty-ignored",
    "stop": "stop-ignored",
    "stream": "stream-ignored",
    "temperature": "temperature-ignored",
    "top_p": "top-p-ignored",
}
#: Parameter → the mutant that honours it in one mode only; a switch of modes has none.
ONE_MODE = {
    "frequency_penalty": "frequency-penalty-ignored-in-stream",
    "logit_bias": "logit-bias-ignored-in-stream",
    "max_tokens": "max-tokens-ignored-in-stream",
    "messages": "messages-last-only-in-stream",
    "model": "unknown-model-served-in-stream",
    "n": "n-ignored-in-stream",
    "presence_penalty": "presence-penalty-ignored-in-stream",
    "prompt": "prompt-ignored-in-stream",
    "repetition_penalty": "repetition-penalty-ignored-in-stream",
    "stop": "stop-ignored-in-stream",
    "temperature": "temperature-ignored-in-stream",
    "top_p": "top-p-ignored-in-stream",
}
#: Parameter → mutants that honour a part of its range, or of what is given.
CLAMPED = {
    "frequency_penalty": ("frequency-penalty-clamped", "frequency-penalty-never-negative"),
    "logit_bias": ("logit-bias-three-entries-at-most",),
    "max_tokens": ("max-tokens-capped",),
    "n": ("n-two-at-most",),
    "presence_penalty": ("presence-penalty-clamped", "presence-penalty-never-negative"),
    "prompt": ("prompt-cut-at-end",),
    "repetition_penalty": ("repetition-penalty-clamped",),
    "stop": ("stop-three-at-most",),
    "temperature": ("temperature-clamped-to-one", "temperature-clamped-from-below"),
    "top_p": ("top-p-clamped-from-below", "top-p-half-at-most"),
}
#: Parameter → the mutant that leaves so little of it that nothing is seen of it.
CLAMPED_AWAY = {"logit_bias": "logit-bias-clamped", "messages": "messages-truncated"}
#: Parameter → mutants that turn its sign, or are off by one or by a factor.
TURNED = {
    "frequency_penalty": ("frequency-penalty-sign-flipped", "frequency-penalty-doubled"),
    "logit_bias": ("logit-bias-sign-flipped", "logit-bias-halved"),
    "max_tokens": ("max-tokens-one-more", "max-tokens-one-less"),
    "messages": ("messages-last-dropped",),
    "n": ("n-one-more", "n-one-less"),
    "presence_penalty": ("presence-penalty-sign-flipped", "presence-penalty-halved"),
    "repetition_penalty": ("repetition-penalty-sign-flipped",),
    "stop": ("stop-cuts-one-early", "stop-in-text"),
    "temperature": ("temperature-inverted", "temperature-halved"),
    "top_p": ("top-p-complement",),
}
#: Mutants whose defect comes and goes within one judgement or its repetitions.
INTERMITTENT = ("stop-ignored-now-and-then", "stream-cut-now-and-then")
#: What a message shows when it names its evidence.
EVIDENCE = re.compile(r"\d|'|\"|JSON")
#: How a message tells a rate.
RATE = re.compile(r"\d+ of \d+")
ACCUSED = {Verdict.FAIL, Verdict.IGNORED}
WITHOUT_EFFECT = {
    name: parameter
    for names in (IGNORED, ONE_MODE, CLAMPED_AWAY)
    for parameter, name in names.items()
}
PARTLY = {name for group in (CLAMPED, TURNED) for names in group.values() for name in names}


def wrong_words(mutant: Mutant, results: Sequence[Result]) -> list[str]:
    """What is said of ``mutant`` by its killers in another word than it deserves."""
    killing = [each for each in results if each.requirement.id in mutant.kills]
    wrong: list[Result] = []
    if mutant.name in WITHOUT_EFFECT:
        wrong += _not_ignored(mutant, WITHOUT_EFFECT[mutant.name], killing)
    if mutant.name in PARTLY:
        wrong += [each for each in killing if each.verdict is Verdict.IGNORED]
    if mutant.name in PARTLY or mutant.name in WITHOUT_EFFECT:
        accused = [each for each in killing if each.verdict in ACCUSED]
        wrong += [each for each in accused if not EVIDENCE.search(each.message)]
    failed = [each for each in killing if each.verdict is Verdict.FAIL]
    if mutant.name in INTERMITTENT and not any(RATE.search(each.message) for each in failed):
        wrong += killing
    return [f"{each.verdict} {each.item.name}: {each.message}" for each in wrong]


def _not_ignored(mutant: Mutant, parameter: str, killing: Sequence[Result]) -> list[Result]:
    """Effects that are called honoured or broken where they are ignored, or the reverse.

    An effect may stay undecided in one mode: without usage nothing tells a prompt from another.
    """
    effects = [each for each in killing if each.requirement.id == f"param.{parameter}.effect"]
    concerned = [each for each in effects if mutant.only in (None, each.item.mode)]
    spared = [each for each in effects if each not in concerned]
    wrong = [each for each in concerned if each.verdict in (Verdict.PASS, Verdict.FAIL)]
    if not any(each.verdict is Verdict.IGNORED for each in concerned):
        wrong += concerned
    return [*wrong, *(each for each in spared if each.verdict is Verdict.IGNORED)]
