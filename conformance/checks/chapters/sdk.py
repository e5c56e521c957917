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
    REGULAR,
    SHOULD,
    STREAM,
    Broken,
    Case,
    Requirement,
    Untestable,
    family,
)
from conformance.checks.chapters.example import filled
from conformance.checks.chapters.model import UNKNOWN
from conformance.checks.clients import KIND, LANGUAGES, Client, Observed, Probe, View, observe
from conformance.checks.clientviews import (
    Problem,
    answers_alike,
    errors_alike,
    heads_alike,
    usage_alike,
)
from conformance.checks.context import Context
from conformance.checks.plain import plain_request
from conformance.schema.contract import Profile, Source
from conformance.wire.exchange import Exchange, Request

__all__ = ["TOPICS", "Seen", "requirements"]

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
    """One requirement for each language and topic, and the documented samples in each version."""
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
                cases=_versions(language),
                endpoints=(topic.endpoint,),
                modes=(),
                needs=topic.needs,
            )
    yield from _samples(profile)


def _versions(language: str) -> Callable[[Context], Sequence[Case]]:
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
    each, ``shown`` the evidence ids of
    the replayed answers by probe, ``views`` the client's own words by probe and way of asking.
    """

    finding: str
    language: str
    version: str
    problems: dict[str, list[str]]
    marks: dict[str, list[str]]
    shown: dict[str, str]
    views: Mapping[str, Mapping[str, View]]
    kept: Kept


async def _shown(ctx: Context, client: Client, topic: Topic) -> tuple[dict[str, Probe], Observed]:
    """The probes and what ``client`` saw of them: once for all topics, anew for a repetition."""
    if ctx.repetition == 0:
        first = "chat" if "chat" in ctx.profile.endpoints else ctx.endpoint.name
        seen = await ctx.on(endpoint=first).learn(_lesson(client))
        return seen.kept.probes, seen.kept.observed
    probes = await _probes(ctx, topic.probes)
    return probes, await observe(ctx, client, probes)


def _lesson(client: Client) -> Callable[[Context], Any]:
    async def lesson(ctx: Context) -> Seen:
        probes = await _probes(ctx, [name for topic in TOPICS.values() for name in topic.probes])
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


async def _probes(ctx: Context, names: Iterable[str]) -> dict[str, Probe]:
    """The probes ``names`` that this profile has, with the answers of this repetition."""
    found: dict[str, Probe] = {}
    for name in dict.fromkeys(names):
        there = _place(ctx, name)
        if there is None:
            continue
        arguments = _arguments(there)
        stream = there.mode is STREAM
        surface = there.endpoint.name
        if name == "live":
            found[name] = Probe(name, surface, stream, arguments)
            continue
        request = _request(there, name)
        if request is not None:
            exchange = await there.ask(request)
            found[name] = Probe(name, surface, stream, arguments, exchange)
    return found


def _place(ctx: Context, name: str) -> Context | None:
    endpoint = "completions" if name.startswith("completions") else "chat"
    contract = ctx.profile.endpoints.get(endpoint)
    mode = STREAM if name.endswith("-stream") or name == "live" else REGULAR
    if contract is None or mode not in contract.modes:
        return None
    return ctx.on(endpoint=endpoint, mode=mode)


def _arguments(there: Context) -> dict[str, Any]:
    """What the oldest client takes: it is replayed an answer, or asks the plainest question."""
    body = there.body()
    return {
        name: body[name] for name in ("model", "messages", "prompt", "max_tokens") if name in body
    }


def _request(there: Context, name: str) -> Request | None:
    """The request whose answer is shown; ``None`` where the profile does not promise it."""
    if name.startswith("unknown-model"):
        return there.request(model=UNKNOWN)
    if name == "wrong-key":
        secured = "auth" in there.profile.features and there.subject.has_key
        return plain_request(there, credential="wrong") if secured else None
    if name == "wrong-type":
        return there.request(max_tokens="many") if there.promises("max_tokens") else None
    if name == "member-missing":
        return there.request(messages=...)
    if name == "usage-stream":
        asked = "stream-usage" in there.profile.features
        return there.request(stream_options={"include_usage": True}) if asked else None
    if name.startswith("tools"):
        return there.request(**_tools()) if there.promises("tools") else None
    return plain_request(there)


def _tools() -> dict[str, Any]:
    """Two calls of one function: what an accumulator that loses the index mixes up."""
    weather = {
        "name": "get_weather",
        "description": "Get the weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    }
    question = "Tell me the weather in Oslo and in Lima. Call the function once for each city."
    return {
        "messages": [{"role": "user", "content": question}],
        "tools": [{"type": "function", "function": weather}],
        "tool_choice": "required",
        "max_tokens": 128,
    }


# The documented samples, in each version


def _samples(profile: Profile) -> Iterable[Requirement]:
    for name, code in profile.examples.items():
        if name.startswith("python-"):
            yield Requirement(
                id=f"sdk.python.example.{name.removeprefix('python-')}",
                level=MUST if PROMISED in profile.features else SHOULD,
                statement="The documented sample runs verbatim with every supported version.",
                source=Source("documentation", f"{profile.name}: {name}", code),
                judge=_sample(code),
                cases=_versions("python"),
                endpoints=(),
                modes=(),
            )


def _sample(code: str) -> Any:
    async def judge(ctx: Context, case: Case) -> None:
        client: Client = case.data
        if client.missing:
            raise Untestable(f"{client.title}: {client.missing}")
        text = filled(code, ctx.subject.model)
        outcome, sent = await ctx.example(
            f"{KIND}-example {client.language} {client.version}", text
        )
        if outcome.exit_code != 0 or not sent:
            last = outcome.stderr.strip().splitlines()[-1:] or ["it sent nothing"]
            raise Broken(f"{client.title}: the sample fails: {last[0][:200]}", *sent)
        wire = read_answer(sent[0])
        if wire is None or wire.text.strip() not in outcome.stdout:
            raise Broken(f"{client.title}: the sample does not print the answer", *sent)

    return judge
