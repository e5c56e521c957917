"""Effects of max_tokens, stop, n, logit_bias, stream, messages, prompt and model."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.checks.answer import Answer, Choice
from conformance.checks.chapters.param_n import DRAWS, TEMPERATURES
from conformance.checks.chapters.param_stop import TREATMENTS
from conformance.checks.forcing import Expected, cut, repeats, shown, stop_problem
from conformance.checks.ledger import alpha
from conformance.checks.oracle import Piece
from conformance.checks.stats import fisher, level
from conformance.reference.mutants import Mutant, every
from conformance.reference.stops import StopMatcher
from conformance.reference.variants import VARIANTS
from conformance.verdicts import Verdict
from conformance.wire.exchange import Exchange, Request

PARAMETERS = ("max_tokens", "stop", "n", "logit_bias", "stream", "messages", "prompt", "model")
#: Ids of this part of the chapter; ``accepts`` and ``validates`` are others'.
MINE = tuple(f"param.{name}.*" for name in PARAMETERS)
OTHERS = (".accepts", ".validates")
BAD = {
    Verdict.FAIL,
    Verdict.IGNORED,
    Verdict.REJECTED,
    Verdict.WARN,
    Verdict.FLAKY,
    Verdict.ERROR,
}
ACCUSED = {Verdict.FAIL, Verdict.IGNORED, Verdict.WARN}
#: What a deeptrin endpoint does not promise.
OPENAI_ONLY = (
    "param.max_tokens.default",
    "param.messages.parts",
    "param.prompt.batch",
    "param.prompt.tokens",
)
#: Mutants of these parameters in one mode.
ONE_MODE = [
    each
    for each in every()
    if each.only and all(any(fnmatchcase(kill, mine) for mine in MINE) for kill in each.kills)
]


def _mine(results):
    return [each for each in results if not each.requirement.id.endswith(OTHERS)]


def _told(results, verdicts):
    return [
        f"{r.verdict} {r.item.name}: {r.message}" for r in _mine(results) if r.verdict in verdicts
    ]


def _profile(mutant: Mutant) -> str:
    return "openai" if any(k.startswith(OPENAI_ONLY) for k in mutant.kills) else "deeptrin"


@pytest.mark.parametrize("profile", ["deeptrin", "openai"])
def test_the_reference_honours_every_parameter(profile, bench):
    """Every effect of the reference server is seen: nothing accused, nothing left open."""
    results = _mine(bench(*MINE, profile=profile))

    assert {Verdict.PASS} == {each.verdict for each in results}


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_lawful_variants_are_not_accused(name, bench):
    """Noise, thinking, refusals and hidden defaults are no defects of these parameters."""
    results = bench(*MINE, variant=name)

    assert [] == _told(results, BAD | {Verdict.INCONCLUSIVE})


def test_most_is_decided_despite_noise(bench):
    """Forced tokens do not care for jitter; only what the model chooses by itself does."""
    results = _mine(bench(*MINE, variant="noise"))

    forced = [each for each in results if each.requirement.id != "param.logit_bias.natural"]
    assert {Verdict.PASS} == {each.verdict for each in forced}


def test_without_logit_bias_the_main_effects_are_still_judged(bench):
    """max_tokens, stop, n, stream and the prompts have a way without the oracle."""
    results = bench("param.*.effect", variant="no-logit-bias")

    passed = {r.requirement.parameter for r in results if r.verdict is Verdict.PASS}
    assert {"max_tokens", "stop", "n", "stream", "messages", "prompt", "model"} <= passed


@pytest.mark.parametrize("mutant", ONE_MODE, ids=lambda mutant: mutant.name)
def test_the_honest_mode_is_not_accused(mutant, bench):
    """A defect of one mode is not said of the other."""
    results = bench(*mutant.kills, mutant=mutant.name, profile=_profile(mutant))

    accused = {each.item.mode for each in results if each.verdict in BAD}
    assert accused == {mutant.only}


def test_the_message_names_the_evidence(bench):
    """Where the text went on, what was asked, what the control run gave."""
    results = bench("param.stop.effect", mutant="stop-ignored")

    told = results[0].message
    assert "text went on past its first occurrence at character" in told
    assert "control run" in told
    assert len(results[0].evidence) >= 2


@pytest.mark.parametrize(
    ("name", "requirement"),
    [
        ("stop-ignored-now-and-then", "param.stop.effect"),
        ("n-ignored-now-and-then", "param.n.effect"),
    ],
)
def test_a_defect_of_every_third_request_fails_and_says_how_often(name, requirement, bench):
    """What is wrong now and then is wrong: k of n is stated."""
    results = bench(requirement, mutant=name)

    failed = [each for each in results if each.verdict is Verdict.FAIL]
    assert failed
    assert all(" of " in (each.occurrences or "") for each in failed)


def test_the_parameters_of_one_run_share_their_requests(bench):
    """The whole of this part costs no more than a quarter of a run's budget."""
    results = _mine(bench(*MINE))

    assert sum(each.requests for each in results) <= 225


def test_accusing_copies_needs_more_than_luck():
    """With all single requests different, the bound of the ledger is met; with half, it is not."""
    bound = level("n-independence") / len(TEMPERATURES)

    for together, singles in DRAWS.items():
        assert fisher(0, together, singles, singles) <= bound
        assert fisher(0, together, singles // 2, singles) > bound
    assert bound**2 * len(TEMPERATURES) <= alpha("n-independence")


# The arithmetic of forced answers


WORD = Piece(7, "ing")


@given(
    st.text("ing", min_size=1, max_size=4),
    st.integers(1, 9),
    st.lists(st.text("ingx", min_size=1, max_size=7), max_size=4),
)
def test_the_expected_cut_is_what_an_incremental_matcher_gives(text, tokens, stops):
    """Two independent ways to the same text: whole prefixes here, held-back pieces there."""
    matcher, seen, reason = StopMatcher(stops), "", "length"
    for _ in range(tokens):
        seen += matcher.feed(text)
        if matcher.stopped:
            reason = "stop"
            break
    else:
        seen += matcher.flush()

    assert Expected(seen, reason) == cut(Piece(1, text), tokens, stops)


@pytest.mark.parametrize("name", sorted(TREATMENTS))
def test_every_treatment_tells_its_own_mistake(name):
    """The answer without stop is wrong under each treatment that can be seen to stop."""
    row = TREATMENTS[name]
    stops = row.stops(WORD.text)
    wanted = [stops] if isinstance(stops, str) else stops
    due = cut(WORD, row.tokens, wanted)

    assert stop_problem(_answer(due.text, due.finish_reason), due, wanted) is None
    if due.finish_reason == "stop":
        assert stop_problem(_answer(WORD.text * row.tokens, "length"), due, wanted)
        assert stop_problem(_answer(due.text, "length"), due, wanted)
        assert stop_problem(_answer(due.text + wanted[-1], "stop"), due, wanted)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("inging", "past its first occurrence at character 2"),
        ("ing", "is part of the text"),
        ("i", "ends at character 1"),
        ("xx", "not 'in'"),
    ],
)
def test_a_wrong_cut_is_described(text, words):
    """The message says in which way the text is wrong."""
    problem = stop_problem(_answer(text, "stop"), Expected("in", "stop"), ["g"])

    assert problem is not None
    assert words in problem


def test_a_leaked_beginning_is_described():
    """The part of a stop sequence that was let out is quoted."""
    problem = stop_problem(_answer("ingin", "stop"), Expected("", "stop"), ["ingingi"])

    assert problem is not None
    assert "the beginning 'ingin' of the stop sequence was let out" in problem


@given(st.integers(0, 20))
def test_repetitions_are_counted_with_or_without_the_outer_space(count):
    """A space taken from the ends does not change the count."""
    piece = Piece(1, " word")

    assert count == repeats(piece.text * count, piece)
    assert count == repeats((piece.text * count).strip(), piece)
    assert repeats("other" + piece.text, piece) is None


def test_quotations_are_short():
    """A hostile text does not fill the report."""
    assert len(shown("x" * 1_000_000)) < 100


def _answer(text, finish_reason):
    choice = Choice(0, text=text, finish_reason=finish_reason)
    return Answer(Exchange(Request("POST", "/")), {0: choice})
