"""The official SDKs, old and new, on one and the same answer.

The document promises ``openai>=1.0.0``: whoever installed any of these versions must read from an
answer what the wire says. Each requirement is judged on every installed version of a language; its
cases are the versions. The bytes that the wire recorded are replayed to all of them from loopback;
one more request of each version goes to the target itself.

These requirements run only when client environments are given (``--sdks DIR``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.checks.answer import read_answer, why_unreadable
from conformance.checks.api import (
    MUST,
    SHOULD,
    Broken,
    Case,
    Requirement,
    Untestable,
    family,
)
from conformance.checks.clients import LANGUAGES, Client, Observed, Probe, View, observe
from conformance.checks.clientviews import (
    Problem,
    answers_alike,
    errors_alike,
    heads_alike,
    usage_alike,
    wire_view,
)
from conformance.checks.context import Context
from conformance.checks.probes import probes_of
from conformance.schema.contract import Profile, Source
from conformance.wire.exchange import Exchange

__all__ = ["PROMISED", "TOPICS", "Seen", "requirements", "versions"]

#: The feature of profiles whose document tells its readers to install ``openai>=1.0.0``.
PROMISED = "sdk-examples"
PROMISE = Source("SDK requirement", "documentation", "pip install 'openai>=1.0.0'")
WISH = Source("convention", "official SDKs of the API that the endpoint is compatible with")

#: Judges one probe as one client saw it.
Compare = Callable[[str, Probe, Observed], Iterator[Problem]]


@dataclass(frozen=True)
class Topic:
    """What one requirement looks at: probes by name, compared in one way."""

    statement: str
    probes: tuple[str, ...]
    compare: Compare
    endpoint: str = "chat"
    needs: tuple[str, ...] = ()
    languages: tuple[str, ...] = tuple(LANGUAGES)


def _answers(language: str, probe: Probe, observed: Observed) -> Iterator[Problem]:
    return answers_alike(probe, observed)


def _usage(language: str, probe: Probe, observed: Observed) -> Iterator[Problem]:
    return usage_alike(probe, observed)


def _heads(language: str, probe: Probe, observed: Observed) -> Iterator[Problem]:
    return heads_alike(probe, observed)


def _live(language: str, probe: Probe, observed: Observed) -> Iterator[Problem]:
    """One request, answered, and read as the wire says."""
    sent = observed.exchanges
    if not sent:
        told = next(iter(observed.ways(probe.name).values()), {}).get("error")
        yield Problem("not sent", f"its own request is never sent: {told}", None)
        return
    if len(sent) > 1:
        yield Problem("retries", f"sends {len(sent)} requests although retries are off", sent[0])
    if not sent[0].ok:
        yield Problem("refused", f"its own request: {why_unreadable(sent[0])}", sent[0])
        return
    answered = Probe(probe.name, probe.surface, probe.stream, probe.arguments, sent[0])
    yield from answers_alike(answered, observed)


#: Name of the requirement → topic. ``{}`` is the language.
TOPICS: Mapping[str, Topic] = {
    "chat": Topic(
        "Every supported version of the {} SDK reads from a chat completion what the wire says.",
        ("chat",),
        _answers,
    ),
    "chat-stream": Topic(
        "Every supported version of the {} SDK iterates over a chat stream to the same text.",
        ("chat-stream",),
        _answers,
    ),
    "completions": Topic(
        "Every supported version of the {} SDK reads from a completion what the wire says.",
        ("completions",),
        _answers,
        "completions",
    ),
    "completions-stream": Topic(
        "Every supported version of the {} SDK iterates over a completion stream to the same text.",
        ("completions-stream",),
        _answers,
        "completions",
    ),
    "errors": Topic(
        "Every supported version of the {} SDK raises the class of the status with the message.",
        ("unknown-model", "unknown-model-stream", "wrong-key", "wrong-type", "member-missing"),
        errors_alike,
    ),
    "usage": Topic(
        "Every supported version of the {} SDK reads the token counts as whole numbers.",
        ("chat", "completions", "usage-stream"),
        _usage,
    ),
    "tool-calls": Topic(
        "Every supported version of the {} SDK assembles the tool calls that were made.",
        ("tools", "tools-stream"),
        _answers,
        needs=("tools",),
    ),
    "raw-headers": Topic(
        "Every supported version of the {} SDK hands out status and header fields as sent.",
        ("chat", "completions"),
        _heads,
    ),
    "live": Topic(
        "A request made by any supported version of the {} SDK is answered.", ("live",), _live
    ),
}


@family
def requirements(profile: Profile) -> Iterable[Requirement]:
    """One requirement for each language and topic."""
    for language, title in LANGUAGES.items():
        # The document speaks of the Python client only.
        promised = language == "python" and PROMISED in profile.features
        for name, topic in TOPICS.items():
            yield Requirement(
                id=f"sdk.{language}.{name}",
                level=MUST if promised else SHOULD,
                statement=topic.statement.format(title),
                source=PROMISE if promised else WISH,
                judge=_judge(name, topic),
                cases=versions(language),
                endpoints=(topic.endpoint,),
                modes=(),
                needs=topic.needs,
            )


def versions(language: str) -> Callable[[Context], Sequence[Case]]:
    """The installed versions of one language as cases."""

    def cases(ctx: Context) -> Sequence[Case]:
        found = [each for each in ctx.subject.clients if each.language == language]
        if not found:
            raise Untestable(f"no {LANGUAGES[language]} SDK is installed here")
        return [Case(each.version, data=each) for each in found]

    return cases


def _judge(name: str, topic: Topic) -> Any:
    async def judge(ctx: Context, case: Case) -> str | None:
        client: Client = case.data
        if client.missing:
            raise Untestable(f"{client.title}: {client.missing}")
        probes, observed = await _shown(ctx, client, topic)
        chosen = [probes[each] for each in topic.probes if each in probes]
        judged = _judgeable(name, chosen)
        found = [p for probe in judged for p in topic.compare(client.language, probe, observed)]
        for problem in sorted(found, key=lambda each: each.level is not None):
            evidence = [problem.exchange] if problem.exchange else []
            raise Broken(f"{client.title}: {problem.text}", *evidence, level=problem.level)
        ctx.seen.extend(each.exchange for each in judged if each.exchange)
        return None

    return judge


def _judgeable(name: str, probes: Sequence[Probe]) -> list[Probe]:
    """The probes with something to compare; raises ``Untestable`` when there are none."""
    found = [each for each in probes if _says_something(name, each.exchange)]
    if not found:
        first = next((each.exchange for each in probes if each.exchange), None)
        why = why_unreadable(first) if first else None
        raise Untestable(why or "no answer that could be compared", *([first] if first else []))
    return found


def _says_something(name: str, exchange: Exchange | None) -> bool:
    if name == "live":
        return True
    if exchange is None:
        return False
    if name == "errors":
        return exchange.complete and (exchange.status or 0) >= 400
    if name == "usage":
        wire = read_answer(exchange)
        return wire is not None and wire.usage is not None
    return exchange.ok


# Showing


@dataclass(frozen=True, slots=True)
class Kept:
    """What judgements go on from; the run's files hold it elsewhere."""

    probes: dict[str, Probe]
    observed: Observed

    def __str__(self) -> str:
        return "see the evidence"


@dataclass(frozen=True)
class Seen:
    """All that one client saw: recorded with the run as what was learned about the target.

    ``problems`` are the differences by topic (an empty list: none), ``marks`` the same in two words
    each, ``shown`` the evidence ids of the replayed answers by probe, ``wire`` what those say,
    ``views`` the client's own words by probe and way of asking.
    """

    finding: str
    language: str
    version: str
    problems: dict[str, list[str]]
    marks: dict[str, list[str]]
    shown: dict[str, str]
    wire: dict[str, View]
    views: Mapping[str, Mapping[str, View]]
    kept: Kept


async def _shown(ctx: Context, client: Client, topic: Topic) -> tuple[dict[str, Probe], Observed]:
    """The probes and what ``client`` saw of them: once for all topics, anew for a repetition."""
    if ctx.repetition == 0:
        first = "chat" if "chat" in ctx.profile.endpoints else ctx.endpoint.name
        seen = await ctx.on(endpoint=first).learn(_lesson(client))
        return seen.kept.probes, seen.kept.observed
    probes = await probes_of(ctx, topic.probes)
    return probes, await observe(ctx, client, probes)


def _lesson(client: Client) -> Callable[[Context], Any]:
    async def lesson(ctx: Context) -> Seen:
        probes = await probes_of(ctx, [name for topic in TOPICS.values() for name in topic.probes])
        observed = await observe(ctx, client, probes)
        problems = _all_problems(client, probes, observed)
        differs = [name for name, found in problems.items() if found]
        finding = f"{client.title} reads what the wire says"
        if differs:
            finding = f"{client.title} differs from the wire in {', '.join(differs)}"
        shown = {name: each.exchange.id for name, each in probes.items() if each.exchange}
        return Seen(
            finding,
            client.language,
            client.version,
            {name: [each.text for each in found] for name, found in problems.items()},
            {name: [each.mark for each in found] for name, found in problems.items()},
            shown,
            {name: wire_view(each.exchange) for name, each in probes.items() if each.exchange},
            observed.views,
            Kept(probes, observed),
        )

    name = f"sdk-{client.language}-{client.version}".replace(".", "-")
    lesson.__name__ = lesson.__qualname__ = name
    return lesson


def _all_problems(
    client: Client, probes: Mapping[str, Probe], observed: Observed
) -> dict[str, list[Problem]]:
    """Topic → problems, for the topics that had something to compare."""
    found: dict[str, list[Problem]] = {}
    for name, topic in TOPICS.items():
        chosen = [probes[each] for each in topic.probes if each in probes]
        judged = [each for each in chosen if _says_something(name, each.exchange)]
        if judged:
            told = (topic.compare(client.language, each, observed) for each in judged)
            found[name] = [problem for problems in told for problem in problems]
    return found
