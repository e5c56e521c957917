"""Runs that never happened: realistic ones, arbitrary ones, and hostile ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st

from conformance.report.records import (
    Aspect,
    Ended,
    Footer,
    Header,
    Result,
    Run,
    TargetFooter,
    TargetHeader,
)
from conformance.report.results import ResultsWriter
from conformance.verdicts import Level, Mode, Verdict

#: Text that has broken reports before: each must stay text wherever it is shown.
INJECTIONS = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    "<!--<script>",
    "]]><!--",
    '"><img src=x onerror="window.pwned=1">',
    "'><svg/onload=window.pwned=1>",
    '" autofocus onfocus="window.pwned=1',
    "<style>*{display:none}</style>",
    "</style><script>window.pwned=1</script>",
    "</textarea></title><script>window.pwned=1</script>",
    "javascript:window.pwned=1",
    "https://example.invalid/\"onmouseover='window.pwned=1'",
    "{{ 7*7 }}{% raw %}${7*7}#{7*7}<%= 7*7 %>",
    "&lt;b&gt; &amp;amp; \u2028\u2029",
    "__proto__",
    "constructor/../../x#?",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp.exe \u2066x",
    "line\r\n\r\n# heading\n| a | b |\n![x](https://example.invalid/x.png) @everyone",
    "```\nfence\n````",
    "\x00\x01\x0b\ufffe\ud800",
    "$(touch pwned) `touch pwned` ; touch pwned '\"\\",
    "x" * 3000,
)

CHAPTERS = ("shape", "chunk", "stream", "error", "usage", "models", "auth", "http", "robust", "sdk")
PARAMETERS = (
    "max_tokens",
    "temperature",
    "top_p",
    "n",
    "stream",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "logit_bias",
    "user",
    "seed",
    "top_k",
)
PLACES = tuple((e, m) for e in ("chat", "completions") for m in (Mode.REGULAR, Mode.STREAM))

# Arbitrary values

texts = st.one_of(st.text(max_size=20), st.sampled_from(INJECTIONS))
words = st.text("abc-._ /✓<", min_size=1, max_size=6)
naturals = st.integers(0, 10**6)
durations = st.floats(0, 1e6, allow_nan=False, allow_infinity=False)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


results = st.builds(
    Result,
    target=words,
    requirement=words,
    level=st.sampled_from(Level),
    endpoint=maybe(words),
    mode=maybe(st.sampled_from(Mode)),
    verdict=st.sampled_from(Verdict),
    message=texts,
    requests=naturals,
    evidence=st.lists(words, max_size=3).map(tuple),
    event=maybe(naturals),
    seconds=durations,
    parameter=maybe(words),
    aspect=maybe(st.sampled_from(Aspect)),
    minimal=maybe(words),
    curl=maybe(texts),
    occurrences=maybe(texts),
    reason=maybe(texts),
)
target_headers = st.builds(TargetHeader, words, maybe(words), maybe(texts), maybe(texts))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
headers = st.builds(
    Header,
    suite_version=words,
    started=words,
    catalogue=words,
    seed=st.integers(-9, 9),
    depth=st.sampled_from(["quick", "standard", "deep"]),
    targets=st.lists(target_headers, max_size=3, unique_by=lambda t: t.target).map(tuple),
    options=st.dictionaries(words, json_values, max_size=3),
)
counts = st.dictionaries(st.sampled_from([v.value for v in Verdict]), naturals, max_size=4)
costs = {
    "counts": counts,
    "requests": naturals,
    "prompt_tokens": naturals,
    "completion_tokens": naturals,
    "seconds": durations,
}
target_footers = st.builds(TargetFooter, **costs, ended=st.sampled_from(Ended))
footers = st.builds(
    Footer,
    finished=words,
    **costs,
    exit_code=st.sampled_from([0, 1, 2, 3, 4, 130]),
    targets=st.dictionaries(words, target_footers, max_size=3),
)
result_lists = st.lists(results, max_size=8, unique_by=lambda r: r.key).map(tuple)
runs = st.builds(Run, headers, result_lists, maybe(footers))


# Realistic runs


def requirement_ids(total: int) -> list[str]:
    aspects = [f"param.{p.replace('_', '-')}.{a.value}" for p in PARAMETERS for a in Aspect]
    rest = (
        f"{CHAPTERS[i % len(CHAPTERS)]}.rule-{i:03}" for i in range(max(total - len(aspects), 0))
    )
    return sorted(
        [*aspects[:total], *rest], key=lambda id: ((*CHAPTERS, "param")).index(id.split(".")[0])
    )


def catalogue(ids: Sequence[str]) -> dict[str, Any]:
    return {
        id: {
            "level": level_of(id).value,
            "statement": f"The answer keeps what {id} says, in every mode and at every endpoint.",
            "source": {
                "kind": "documentation",
                "reference": f"example-api.txt:{index + 10}",
                "quote": f"{id.split('.')[-1]}: what the documentation promises (0-2).",
            },
            "chapter": id.split(".")[0],
            "parameter": parameter_of(id),
            "aspect": id.split(".")[-1] if parameter_of(id) else None,
        }
        for index, id in enumerate(ids)
    }


def level_of(id: str) -> Level:
    return (Level.MUST, Level.MUST, Level.SHOULD, Level.MAY)[sum(id.encode()) % 4]


def parameter_of(id: str) -> str | None:
    return id.split(".")[1].replace("-", "_") if id.startswith("param.") else None


def evidence(
    id: str, target: str, base_url: str, *, stream: bool, hostile: str = ""
) -> dict[str, Any]:
    body = {
        "model": "acme/llama-3-8b",
        "messages": [{"role": "user", "content": hostile or "Count to ten, slowly."}],
        "max_tokens": 16,
        "stream": stream,
    }
    answer, kind = _stream(hostile) if stream else _regular(hostile)
    ends = [*list(range(90, len(answer), 180)), len(answer)]
    return {
        "id": id,
        "target": target,
        "repetition": 0,
        "phase": "ordinary",
        "started": 1_790_000_000.5,
        "elapsed": 0.412,
        "request": {
            "method": "POST",
            "path": "/chat/completions",
            "url": f"{base_url}/chat/completions",
            "headers": [],
            "credential": "key",
            "body": {"text": json.dumps(body)},
            "close_after": None,
            "group": "",
        },
        "status": 200,
        "reason": "OK",
        "http_version": "HTTP/1.1",
        "headers": [["content-type", kind], ["x-request-id", hostile or "req-1"]],
        "raw_head": {"text": "HTTP/1.1 200 OK\r\n\r\n"},
        "raw_reads": [[0.01 * (i + 1), end] for i, end in enumerate(ends)],
        "body": {"text": answer},
        "body_reads": [[0.12 + 0.04 * i, end] for i, end in enumerate(ends)],
        "failure": None,
        "closed_by_us": False,
        "server_died": False,
        "attempts": [],
    }


def _stream(hostile: str) -> tuple[str, str]:
    chunks = [
        {
            "id": "chatcmpl-7",
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta}],
        }
        for delta in (
            {"role": "assistant", "content": ""},
            *({"content": text} for text in (hostile or "One, two, three, four five").split(" ")),
            {},
        )
    ]
    events = [*(json.dumps(chunk, ensure_ascii=False) for chunk in chunks), "[DONE]"]
    return "".join(f"data: {event}\n\n" for event in events), "text/event-stream; charset=utf-8"


def _regular(hostile: str) -> tuple[str, str]:
    answer = {
        "id": "chatcmpl-7",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": hostile or "One, two."}}
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 13},
    }
    return json.dumps(answer, ensure_ascii=False), "application/json"


MESSAGES = {
    Verdict.FAIL: "usage.total_tokens is 13, expected 12 (= 9 prompt + 3 completion)",
    Verdict.IGNORED: "20 of 20 answers are equal with the parameter at 0 and at 2",
    Verdict.REJECTED: 'the documented value 0.5 is answered with 400: "unsupported"',
    Verdict.WARN: "the error envelope has no member code",
    Verdict.FLAKY: "failed once: the connection was reset after 14 events",
    Verdict.INCONCLUSIVE: "greedy output is not repeatable: 3 different answers in 8",
    Verdict.UNTESTABLE: "no key: authorization cannot be tested",
    Verdict.INFO: "the endpoint answers 404 where others answer 400",
    Verdict.DEVIATION: "logit_bias has no effect (declared)",
    Verdict.FIXED: "declared as a deviation, but holds now",
    Verdict.NOT_RUN: "not part of this selection",
    Verdict.NOT_PROMISED: "seed is not promised",
    Verdict.ERROR: "the target closed every connection",
}


def fake_results(
    targets: Sequence[str],
    ids: Sequence[str],
    *,
    seed: int = 0,
    trouble: float = 0.1,
    hostile: bool = False,
) -> list[Result]:
    random = Random(seed)
    results = []
    for target in targets:
        for id in ids:
            whole = id.startswith(("models", "auth"))
            for place in [("models", None)] if whole else PLACES:
                results.append(_result(random, target, id, place, trouble, hostile))
    return results


def _result(
    random: Random,
    target: str,
    id: str,
    place: tuple[str, Mode | None],
    trouble: float,
    hostile: bool,
) -> Result:
    others = [v for v in MESSAGES if v is not Verdict.ERROR or hostile]
    verdict = random.choice(others) if random.random() < trouble else Verdict.PASS
    number = random.randrange(10**6)
    stream = place[1] is Mode.STREAM
    message = MESSAGES.get(verdict, "")
    return Result(
        target=target,
        requirement=id,
        level=level_of(id),
        endpoint=place[0],
        mode=place[1],
        verdict=verdict,
        message=random.choice(INJECTIONS) if hostile else message,
        requests=random.randrange(4),
        evidence=(f"x{number}", f"y{number}"),
        event=2 if stream and verdict.rule.bad else None,
        seconds=random.random(),
        parameter=parameter_of(id),
        aspect=Aspect(id.split(".")[-1]) if parameter_of(id) else None,
        minimal=f"m{number}" if verdict is Verdict.FAIL else None,
        occurrences="3 of 6" if verdict is Verdict.FAIL and number % 2 else None,
        reason="TICKET-12: the vendor is told" if verdict is Verdict.DEVIATION else None,
    )


TEXT = {"choices": {"0": {"text": "Hello", "finish": "stop", "tools": []}}}
LOST = {"choices": {}, "chunks": 0}


def client(language: str, version: str, view: dict[str, Any], *problems: str) -> dict[str, Any]:
    """What one client saw of one stream, as a run records it."""
    return {
        "language": language,
        "version": version,
        "problems": {"chat-stream": list(problems)},
        "marks": {"chat-stream": ["silent, empty"] if problems else []},
        "shown": {"chat-stream": "x7"},
        "wire": {"chat-stream": {"status": 200, **TEXT, "usage": None}},
        "views": {"chat-stream": {"call": view, "async": view}},
    }


SAID = "chat-stream: ends without a word after 0 chunks"
CLIENTS = [
    client("node", "7.0.0", TEXT),
    client("python", "3.0.0", TEXT),
    client("python", "1.0.0", LOST, SAID),
    client("python", "1.109.1", TEXT),
]


def write_run(
    run_dir: Path,
    *,
    targets: Sequence[str] = ("reference",),
    requirements: int = 60,
    seed: int = 0,
    trouble: float = 0.1,
    hostile: bool = False,
    footer: bool = True,
    ended: Ended = Ended.COMPLETE,
    clients: Sequence[dict[str, Any]] = (),
) -> list[Result]:
    """A run directory as a run leaves it; ``hostile`` puts injections everywhere."""
    ids = requirement_ids(requirements)
    results = fake_results(targets, ids, seed=seed, trouble=trouble, hostile=hostile)
    evil = (lambda i: INJECTIONS[i % len(INJECTIONS)]) if hostile else (lambda i: "")
    base = "https://api.example.com/inference-api/openai/v1"
    header = Header(
        suite_version="0.1.0",
        started="2026-11-22T23:40:00Z",
        catalogue="c0ffee",
        targets=tuple(
            TargetHeader(t, "deeptrin", evil(i) or "acme/llama-3-8b", evil(i + 5) or base)
            for i, t in enumerate(targets)
        ),
        options={"fail_on": "must"},
    )
    with ResultsWriter(run_dir / "results.jsonl", header) as writer:
        for result in results:
            writer.write(result)
        if footer:
            writer.finish(fake_footer(results, targets, ended))
    entries = catalogue(ids)
    if hostile:
        for i, entry in enumerate(entries.values()):
            entry["statement"], entry["source"]["quote"] = evil(i), evil(i + 1)
            entry["source"]["reference"] = evil(i + 2)
    (run_dir / "catalogue.json").write_text(json.dumps(entries))
    lessons = [_lesson(t, k, evil(k)) for t in targets for k in range(4)]
    lessons += [
        {**_lesson(t, 0, ""), "finding": "read otherwise", "value": value}
        for t in targets
        for value in clients
    ]
    _lines(run_dir / "learned.jsonl", lessons)
    (run_dir / "evidence").mkdir(exist_ok=True)
    for index, target in enumerate(targets):
        records = [
            evidence(id, target, base, stream=r.mode is Mode.STREAM, hostile=evil(n))
            for n, r in enumerate(results)
            if r.target == target and r.verdict is not Verdict.PASS
            for id in (*r.evidence, r.minimal)
            if id
        ]
        _lines(run_dir / "evidence" / f"t{index}.jsonl", records)
    return results


def fake_footer(results: Sequence[Result], targets: Sequence[str], ended: Ended) -> Footer:
    def tally(target: str | None) -> dict[str, int]:
        mine = (r.verdict.value for r in results if target in (None, r.target))
        return dict(Counter(mine))

    cost = {"requests": 812, "prompt_tokens": 9_204, "completion_tokens": 21_344, "seconds": 27.3}
    each = {target: TargetFooter(tally(target), **cost, ended=ended) for target in targets}
    return Footer("2026-11-22T23:40:27Z", tally(None), **cost, exit_code=1, targets=each)


def _lesson(target: str, number: int, hostile: str) -> dict[str, Any]:
    findings = (
        ("greedy", "temperature 0 is repeatable: 8 of 8 answers equal"),
        ("forced_token", "logit_bias 100 forces 7 of 7 ids"),
        ("tokenizer", "ids below 512 are accepted; 65 is “A”"),
        ("reasoning", "no reasoning fields or tokens"),
    )
    lesson, finding = findings[number]
    return {
        "target": target,
        "endpoint": "chat",
        "lesson": hostile or lesson,
        "finding": hostile or finding,
        "value": None,
    }


def _lines(path: Path, values: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
