"""The chapter's requirements at peculiar servers: who is accused, by whom, and when not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import openai
import pytest

from conformance.engine.clients import read_manifest
from conformance.errors import ConfigurationError
from conformance.verdicts import Verdict

OLDEST = "openai 1.0.0 for Python"


def test_without_environments_nothing_runs(judge):
    """An ordinary run leaves the chapter out, and that is nobody's fault."""
    results = judge("honest", "sdk.python.chat", "sdk.node.errors", sdks=None)

    assert {(Verdict.NOT_RUN, "depth")} == {(each.verdict, each.reason) for each in results}
    assert 2 == len(results)


def test_the_honest_server_is_read_alike(judge, own):
    """Every topic passes with the SDK of this environment; samples under the document's profile."""
    topics = ("chat", "chat-stream", "completions", "completions-stream", "errors", "usage")
    ids = [f"sdk.python.{each}" for each in (*topics, "tool-calls", "raw-headers", "live")]

    results = judge("honest", *ids, sdks=own)
    samples = judge("documented", "sdk.python.example.chat", sdks=own, profile="deeptrin")

    assert dict.fromkeys(ids, Verdict.PASS) == {e.requirement: e.verdict for e in results}
    assert [Verdict.PASS] == [each.verdict for each in samples]


@pytest.mark.parametrize(
    ("server", "requirement"),
    [
        ("single-newline", "sdk.python.chat-stream"),
        ("last-unterminated", "sdk.python.completions-stream"),
        ("ndjson", "sdk.python.chat-stream"),
        ("usage-strings", "sdk.python.usage"),
        ("tool-index", "sdk.python.tool-calls"),
        ("error-detail", "sdk.python.errors"),
        ("agent-blocked", "sdk.python.live"),
    ],
)
def test_each_topic_accuses_a_server_that_breaks_it(judge, own, server, requirement):
    """The newest SDK is enough to see these."""
    (result,) = judge(server, requirement, sdks=own)

    assert Verdict.WARN is result.verdict
    assert f"openai {openai.__version__} for Python" in result.message
    assert result.evidence


def test_a_promised_client_makes_it_a_must(judge, own):
    """A document that says `pip install openai` is broken by what the SDK cannot read."""
    (result,) = judge("done-spaces", "sdk.python.chat-stream", sdks=own, profile="deeptrin")

    assert ("MUST", Verdict.FAIL) == (result.level, result.verdict)


def test_what_is_missing_is_untestable_with_the_reason(judge, listed):
    """No Node here: the rows say so."""
    entry = {"language": "node", "version": "5.23.2", "missing": "Node is not installed here"}

    folder = listed(entry)

    (node,) = judge("honest", "sdk.node.chat", sdks=folder)
    (python,) = judge("documented", "sdk.python.chat", sdks=folder)

    assert (Verdict.UNTESTABLE, Verdict.UNTESTABLE) == (node.verdict, python.verdict)
    assert "Node is not installed here" in node.message
    assert "no Python SDK is installed here" == python.message


def test_a_client_that_does_not_run_is_untestable(judge, listed):
    """A broken environment accuses nobody."""
    broken = [sys.executable, "-c", "raise SystemExit('broken environment')"]
    entry = {"language": "python", "version": "1.0.0", "command": broken}

    (result,) = judge("honest", "sdk.python.chat", sdks=listed(entry))

    assert Verdict.UNTESTABLE is result.verdict
    assert "broken environment" in result.message


def test_what_each_client_saw_is_kept_with_the_run(judge, own, tmp_path):
    """Three views of one answer: the client's is in learned.jsonl, the wire's in the evidence."""
    judge("honest", "sdk.python.chat", sdks=own)

    lines = (tmp_path / "honest" / "learned.jsonl").read_bytes().split(b"\n")
    (value,) = [json.loads(line)["value"] for line in lines if b"sdk-python" in line]
    assert ("python", openai.__version__) == (value["language"], value["version"])
    assert value["views"]["chat"]["call"]["choices"]["0"]["finish"] in ("stop", "length")
    assert value["shown"]["chat"].startswith("x")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"clients": [{"language": "cobol", "version": "1", "command": ["x"]}]}']
)
def test_a_manifest_that_does_not_fit_is_a_mistake_in_an_option(tmp_path: Path, text: str):
    """The message names the file and how to make it."""
    (tmp_path / "clients.json").write_text(text)

    with pytest.raises(ConfigurationError, match="python -m sdks --install-only"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("server", "requirement", "fine"),
    [
        ("named-events", "sdk.python.chat-stream", "stream of 3.x"),
        ("line-separator", "sdk.python.chat-stream", "a lawful text"),
        ("latin-1", "sdk.python.completions-stream", "UTF-8 always"),
        ("json-as-text", "sdk.python.chat", "parsed"),
    ],
)
def test_what_only_the_oldest_version_cannot_read(
    judge, all_versions, own, server, requirement, fine
):
    """`openai>=1.0.0` includes 1.0.0, and newer versions do not mind."""
    (old,) = judge(server, requirement, sdks=all_versions)
    (new,) = judge(server, requirement, sdks=own)

    assert Verdict.WARN is old.verdict
    assert OLDEST in old.message
    assert Verdict.PASS is new.verdict, fine


def test_what_only_one_language_cannot_read(judge, all_versions):
    """20 kB of header fields: one language's HTTP library refuses them, the other's does not."""
    python, node = judge("long-head", "sdk.python.chat", "sdk.node.chat", sdks=all_versions)

    assert (Verdict.PASS, Verdict.WARN) == (python.verdict, node.verdict)
