"""Parameters of the OpenAI profile: every defect gets its verdict, no lawful server is accused."""

from __future__ import annotations

import pytest

from conformance.checks.catalogue import catalogue
from conformance.reference.variants import VARIANTS
from conformance.schema.profiles import load_profile
from conformance.verdicts import Verdict

CHAPTERS = (
    "param_completions",
    "param_inert",
    "param_logprobs",
    "param_max_completion_tokens",
    "param_response_format",
    "param_seed",
    "param_stream_options",
    "param_tools",
)
MINE = tuple(
    each.id
    for each in catalogue(load_profile("openai")).values()
    if each.module.rpartition(".")[2] in CHAPTERS
)
ACCUSED = {Verdict.FAIL, Verdict.WARN, Verdict.REJECTED, Verdict.IGNORED}
BAD = ACCUSED | {Verdict.FLAKY, Verdict.ERROR}


@pytest.mark.parametrize(
    ("mutant", "requirement"),
    [
        ("logprobs-ignored", "param.logprobs.effect"),
        ("top-logprobs-ignored", "param.top_logprobs.effect"),
        ("echo-ignored", "param.echo.effect"),
        ("suffix-ignored", "param.suffix.effect"),
        ("include-usage-ignored", "param.stream_options.effect"),
        ("max-completion-tokens-ignored", "param.max_completion_tokens.effect"),
        ("response-format-ignored", "param.response_format.effect"),
        ("tools-ignored", "param.tools.effect"),
        ("tool-choice-ignored", "param.tool_choice.effect"),
        ("parallel-tool-calls-ignored", "param.parallel_tool_calls.effect"),
    ],
)
def test_a_parameter_without_effect_is_called_ignored(mutant, requirement, bench):
    """Accepted without effect is `ignored`, not merely `fail`."""
    results = bench(requirement, mutant=mutant, profile="openai")

    assert {Verdict.IGNORED} == {each.verdict for each in results}


def test_no_more_than_a_warning_is_given_for_a_seed(bench):
    """Determinism is not guaranteed by anybody: a seed without effect is a warning."""
    results = bench("param.seed.effect", mutant="seed-ignored", profile="openai")

    assert {Verdict.WARN} == {each.verdict for each in results}


def test_the_reference_honours_every_parameter(bench):
    """The honest server passes everything, decidedly."""
    results = bench(*MINE, profile="openai")

    assert {Verdict.PASS, Verdict.INFO} == {each.verdict for each in results}


@pytest.mark.parametrize("name", sorted(set(VARIANTS) - {"plain"}))
def test_lawful_variants_are_not_accused(name, bench):
    """Noise, hidden defaults, refusals and reasoning are no defects."""
    results = bench(*MINE, profile="openai", variant=VARIANTS[name])

    assert [] == [f"{r.verdict} {r.item.name}: {r.message}" for r in results if r.verdict in BAD]
