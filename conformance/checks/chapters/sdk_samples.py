"""The documented samples, verbatim, with each version of the SDK that they are written for.

These requirements run only when client environments are given (``--sdks DIR``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.checks.answer import read_answer
from conformance.checks.api import MUST, SHOULD, Broken, Case, Requirement, Untestable, family
from conformance.checks.chapters.example import filled
from conformance.checks.chapters.sdk import PROMISED, versions
from conformance.checks.clients import KIND, Client
from conformance.checks.context import Context
from conformance.schema.contract import Profile, Source

__all__ = ["requirements"]


@family
def requirements(profile: Profile) -> Iterable[Requirement]:
    """One requirement for each sample of the document."""
    for name, code in profile.examples.items():
        if name.startswith("python-"):
            yield Requirement(
                id=f"sdk.python.example.{name.removeprefix('python-')}",
                level=MUST if PROMISED in profile.features else SHOULD,
                statement="The documented sample runs verbatim with every supported version.",
                source=Source("documentation", f"{profile.name}: {name}", code),
                judge=_sample(code),
                cases=versions("python"),
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
