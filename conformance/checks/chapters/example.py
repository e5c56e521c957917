"""The documented examples, run as they stand.

Base URL, key and model are replaced, as the document tells its readers to do, and nothing else.
The Python samples run with the real SDK, the cURL commands with the real curl.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from conformance.checks.answer import read_answer
from conformance.checks.api import MUST, Broken, Case, Requirement, Untestable, family, statement_of
from conformance.checks.context import Context
from conformance.schema.contract import Profile, Source

__all__ = ["BASE_URL_MARK", "KEY_MARK", "filled", "requirements"]

#: Places that the engine fills in: only it knows the proxy's address and the stand-in key.
BASE_URL_MARK, KEY_MARK = "⟦BASE_URL⟧", "⟦API_KEY⟧"
#: What documents print where the reader's key belongs.
_KEY = re.compile(r"<[^<>\n]*[Kk]ey[^<>\n]*>")
_URL = re.compile(r"https?://[^\s\"'<>]+?(?=/chat/completions|/completions|[\"'\s])")
_MODEL = re.compile(r"(?<=\"model\": \")[^\"]+(?=\")|(?<=^model = \")[^\"]+(?=\")", re.MULTILINE)


def filled(code: str, model: str) -> str:
    """``code`` with base URL, key and model replaced."""
    code = _URL.sub(BASE_URL_MARK, code)
    code = _KEY.sub(KEY_MARK, code)
    return _MODEL.sub(lambda _: model, code)


@family
def requirements(profile: Profile) -> Iterable[Requirement]:
    """One requirement for each example that the profile's document prints."""
    for name, code in profile.examples.items():
        language = name.split("-")[0]
        source = Source("documentation", f"{profile.name}: {name}", code)
        yield Requirement(
            id=f"example.{name}",
            level=MUST,
            statement=statement_of(run_example),
            source=source,
            judge=run_example,
            cases=_case(name, language, code),
            endpoints=(),
            modes=(),
        )


def _case(name: str, language: str, code: str) -> Any:
    return lambda ctx: (Case(name, data=(language, code)),)


async def run_example(ctx: Context, case: Case) -> str | None:
    """The documented example runs verbatim and prints the answer."""
    language, code = case.data
    outcome, exchanges = await ctx.example(language, filled(code, ctx.subject.model))
    if outcome.missing:
        raise Untestable(f"{outcome.missing} is not installed here")
    if not exchanges:
        raise Broken(f"the example sent nothing: {_last_line(outcome.stderr)}")
    if outcome.exit_code != 0:
        raise Broken(f"the example fails: {_last_line(outcome.stderr)}", *exchanges)
    refused = [each for each in exchanges if not each.ok]
    if refused:
        raise Broken(f"answered with status {refused[0].status}", *refused)
    found = read_answer(exchanges[0])
    if found is None:
        raise Broken("the answer cannot be read", *exchanges)
    if language == "python" and found.text.strip() not in outcome.stdout:
        raise Broken("the example does not print the text of the answer", *exchanges)
    return None


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no output"
