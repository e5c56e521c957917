"""What many verdicts amount to: one word for each parameter, one exit code for a run. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from conformance.errors import ExitCode
from conformance.report.records import Aspect, Result
from conformance.verdicts import Level, Verdict

__all__ = [
    "EXEMPT_REASONS",
    "FailOn",
    "Fold",
    "ParameterFold",
    "Undecided",
    "exempt",
    "exit_code",
    "fold_parameters",
]


class Fold(StrEnum):
    """What became of one parameter, from best to worst."""

    HONOURED = "honoured"
    UNTESTED = "untested"
    INCONCLUSIVE = "inconclusive"
    BROKEN = "broken"
    IGNORED = "ignored"
    REJECTED = "rejected"


#: A declared failure is still one: the parameter is not honoured because somebody said so.
_BROKEN = frozenset({Verdict.FAIL, Verdict.DEVIATION})
_UNTRIED = frozenset({Verdict.NOT_RUN, Verdict.NOT_PROMISED, Verdict.ERROR})
_UNDECIDED = frozenset({Verdict.INCONCLUSIVE, Verdict.UNTESTABLE, Verdict.NOT_RUN, Verdict.ERROR})


@dataclass(frozen=True)
class ParameterFold:
    """One parameter of one target: a word for each endpoint and mode, and the worst of them."""

    target: str
    parameter: str
    places: Mapping[tuple[str | None, str | None], Fold]

    @property
    def overall(self) -> Fold:
        """The worst; untested weighs more than honoured, so that the claim never exceeds it."""
        return max(self.places.values(), key=list(Fold).index)


def fold_parameters(results: Iterable[Result]) -> list[ParameterFold]:
    """Every parameter of every target, in the order of first appearance.

    What the target does not promise is left out.
    """
    groups: dict[tuple[str, str], dict[tuple[str | None, str | None], list[Result]]] = {}
    for result in results:
        if result.parameter is not None and result.verdict is not Verdict.NOT_PROMISED:
            places = groups.setdefault((result.target, result.parameter), {})
            places.setdefault((result.endpoint, result.mode), []).append(result)
    return [
        ParameterFold(target, parameter, {place: fold(each) for place, each in places.items()})
        for (target, parameter), places in groups.items()
    ]


def fold(results: Collection[Result]) -> Fold:
    """One word for the results of one parameter at one endpoint and mode.

    Rejected if a documented value is refused; else ignored; else broken if any MUST fails; else
    untested if nothing was run; else inconclusive if its effect (or, of a parameter that has no
    testable effect, everything) is undecided; else honoured.
    """
    verdicts = {result.verdict for result in results}
    if Verdict.REJECTED in verdicts:
        return Fold.REJECTED
    if Verdict.IGNORED in verdicts:
        return Fold.IGNORED
    if verdicts & _BROKEN:
        return Fold.BROKEN
    if verdicts <= _UNTRIED:
        return Fold.UNTESTED
    effects = {r.verdict for r in results if r.aspect is Aspect.EFFECT and not _left_out(r)}
    undecided = effects & _UNDECIDED if effects else verdicts <= _UNDECIDED | _UNTRIED
    return Fold.INCONCLUSIVE if undecided else Fold.HONOURED


def _left_out(result: Result) -> bool:
    """Whether nobody asked for it: a detail left out by depth or selection decides nothing."""
    return result.verdict is Verdict.NOT_RUN and exempt(result)


class FailOn(StrEnum):
    """What makes a run red."""

    MUST = "must"
    SHOULD = "should"
    NEVER = "never"


#: Reasons of an undecided MUST that nobody has to declare: it was not asked for, the depth leaves
#: it out, there is no key to test authorization with, or a recording can never answer it.
EXEMPT_REASONS = frozenset({"deselected", "depth", "no key", "recording"})

_RED: Mapping[FailOn, frozenset[Verdict]] = {
    FailOn.MUST: frozenset({Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED, Verdict.FIXED}),
    FailOn.SHOULD: frozenset(
        {
            Verdict.FAIL,
            Verdict.IGNORED,
            Verdict.REJECTED,
            Verdict.FIXED,
            Verdict.WARN,
            Verdict.FLAKY,
        }
    ),
    FailOn.NEVER: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Undecided:
    """A declaration that a MUST may stay undecided; ``None`` stands for any."""

    requirement: str
    target: str | None = None
    endpoint: str | None = None
    mode: str | None = None

    def covers(self, result: Result) -> bool:
        """Whether ``result`` is declared by this entry."""
        return self.requirement == result.requirement and all(
            mine is None or mine == theirs
            for mine, theirs in (
                (self.target, result.target),
                (self.endpoint, result.endpoint),
                (self.mode, result.mode),
            )
        )


def exempt(result: Result) -> bool:
    """Whether nobody has to declare that ``result`` is undecided (see ``EXEMPT_REASONS``)."""
    return result.reason in EXEMPT_REASONS


def exit_code(
    results: Collection[Result],
    *,
    undecided: Collection[Undecided] = (),
    fail_on: FailOn | str = FailOn.MUST,
    exempt: Callable[[Result], bool] = exempt,
    configuration_error: bool = False,
    unreachable: bool = False,
    interrupted: bool = False,
) -> ExitCode:
    """The exit code of a run: Ctrl-C, then 2, 1, 3, 4, and 0 where it conforms.

    1: a verdict that ``fail_on`` calls red. 3: the target was lost, or any ``error``. 4: nothing
    was decided, or a MUST stayed undecided that is neither declared (``undecided``: the entries
    that have not expired) nor exempt. With ``never`` a verdict or its absence is not red; a run
    that could not be made still is.
    """
    fail_on = FailOn(fail_on)
    if interrupted:
        return ExitCode.INTERRUPTED
    if configuration_error:
        return ExitCode.CONFIGURATION
    verdicts = {result.verdict for result in results}
    if verdicts & _RED[fail_on]:
        return ExitCode.FAILURE
    if unreachable or Verdict.ERROR in verdicts:
        return ExitCode.UNREACHABLE
    if not any(verdict.rule.decided for verdict in verdicts):
        return ExitCode.UNDECIDED
    open_ones = (r for r in results if _open(r) and not exempt(r))
    undeclared = any(not any(each.covers(r) for each in undecided) for r in open_ones)
    return ExitCode.UNDECIDED if undeclared and fail_on is not FailOn.NEVER else ExitCode.CONFORMS


def _open(result: Result) -> bool:
    return result.level is Level.MUST and result.verdict in _UNDECIDED
