"""Writes what the docs take from the code.

    python docs/regenerate.py             write the tables, docs/requirements.md, new requirement ids
    python docs/regenerate.py --thaw      also write ids that vanished or changed their meaning

A page marks a table by ``<!-- generated: NAME -->`` and ``<!-- end -->``. The ids, levels and
statements of all requirements are kept in ``tests/docs/requirement-ids.yaml``: ids may be added,
never vanish or change. ``tests/docs`` holds that everything is current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import yaml

from conformance.checks.api import Requirement
from conformance.checks.catalogue import CHAPTERS, catalogue, items_of
from conformance.checks.chapters.accepts import LEVEL_OF_GRADE
from conformance.cli.main import SUMMARIES
from conformance.errors import ExitCode
from conformance.options import markdown_table
from conformance.report.words import FOLD_SIGNS, FOLD_WORDS, LEVEL_WORDS, SIGNS, VERDICT_WORDS
from conformance.schema.contract import Grade
from conformance.schema.profiles import available_profiles, load_profile
from conformance.verdicts import RULES, Level

__all__ = ["TABLES", "all_requirements", "changes", "frozen", "main", "regenerated"]

DOCS = Path(__file__).resolve().parent
FROZEN = DOCS.parent / "tests" / "docs" / "requirement-ids.yaml"
MARKED = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

#: What each exit code means, and what to do about it.
EXIT_CODES: Mapping[ExitCode, tuple[str, str]] = {
    ExitCode.CONFORMS: (
        "nothing that was decided is red, and no MUST stayed open undeclared",
        "nothing to do",
    ),
    ExitCode.FAILURE: (
        "a new failure, a deviation that passes now, or one that expired",
        "open `matrix.html`, or declare it in `targets.yaml`",
    ),
    ExitCode.CONFIGURATION: (
        "a mistake in an option, a file or a name; nothing was sent",
        "do what the sentence says after the semicolon",
    ),
    ExitCode.UNREACHABLE: (
        "the target could not be reached or stopped answering, or the suite itself failed",
        "look at the message of an `error` verdict",
    ),
    ExitCode.UNDECIDED: (
        "nothing was decided, or a MUST stayed open that is not listed under `undecided:`",
        "see [exit code 4](troubleshooting.md#exit-code-4)",
    ),
    ExitCode.INTERRUPTED: (
        "interrupted by Ctrl-C",
        "`--resume DIR` goes on; `conformance report html DIR` shows what there is",
    ),
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    names = list(head)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _exit_codes() -> str:
    rows = ((str(int(code)), *EXIT_CODES[code]) for code in ExitCode)
    return table(("exit code", "meaning", "next step"), rows)


def _verdicts() -> str:
    rows = (
        (
            f"{SIGNS[verdict]} `{verdict.value}`",
            VERDICT_WORDS[verdict],
            rule.pytest,
            "red" if rule.bad else "decided" if rule.decided else "undecided",
        )
        for verdict, rule in RULES.items()
    )
    return table(("verdict", "meaning", "in pytest", "counts as"), rows)


def _folds() -> str:
    return table(
        ("word", "meaning"), ((f"{FOLD_SIGNS[f]} {f.value}", FOLD_WORDS[f]) for f in FOLD_WORDS)
    )


def _levels() -> str:
    return table(("level", "meaning"), LEVEL_WORDS.items())


def _grades() -> str:
    words = {
        Grade.HARD: "states the bound",
        Grade.DERIVABLE: "implies it, by its samples or the meaning of its words",
        Grade.SOFT: "wishes it",
        Grade.UNSPECIFIED: "is silent; the bound is there to draw values from",
    }
    rows = (
        (f"`{grade.value}`", words[grade], LEVEL_OF_GRADE[grade].value)
        for grade in sorted(Grade, key=lambda each: list(Level).index(LEVEL_OF_GRADE[each]))
    )
    return table(("grade", "the documentation", "that a value inside is accepted is a"), rows)


def _commands() -> str:
    rows = ((f"`conformance {name}`", summary) for name, summary in SUMMARIES.items())
    return table(("command", "what it does"), rows)


def _profiles() -> str:
    rows = []
    for name in available_profiles():
        profile = load_profile(name)
        rows.append((f"`{name}`", profile.title, ", ".join(profile.endpoints)))
    return table(("profile", "title", "endpoints"), rows)


#: Every generated table, by the name that pages use.
TABLES: Mapping[str, Callable[[], str]] = {
    "commands": _commands,
    "exit-codes": _exit_codes,
    "folds": _folds,
    "grades": _grades,
    "levels": _levels,
    "options": markdown_table,
    "profiles": _profiles,
    "verdicts": _verdicts,
}

# Requirements


def all_requirements() -> dict[str, dict[str, Requirement]]:
    """Every requirement that a shipped profile promises: by id, then by profile."""
    found: dict[str, dict[str, Requirement]] = {}
    for name in available_profiles():
        profile = load_profile(name)
        for item in items_of(profile, catalogue(profile).values()):
            if item.promised:
                found.setdefault(item.requirement.id, {})[name] = item.requirement
    return found


def level_of(by_profile: Mapping[str, Requirement]) -> str:
    """The level, or each level with its profiles where they differ."""
    profiles: dict[str, list[str]] = {}
    for name, each in by_profile.items():
        profiles.setdefault(each.level.value, []).append(name)
    if len(profiles) == 1:
        return next(iter(profiles))
    return "; ".join(f"{level} ({', '.join(names)})" for level, names in profiles.items())


def strongest(by_profile: Mapping[str, Requirement]) -> str:
    """The strongest level of any profile: a profile may be added without changing it."""
    return min((each.level for each in by_profile.values()), key=list(Level).index).value


def meanings() -> dict[str, str]:
    """What is frozen of each requirement: its strongest level and its statement."""
    return {
        name: f"{strongest(each)}: {next(iter(each.values())).statement}"
        for name, each in sorted(all_requirements().items())
    }


def frozen() -> dict[str, str]:
    """The frozen ids with their levels and statements."""
    if not FROZEN.exists():
        return {}
    return yaml.safe_load(FROZEN.read_text(encoding="utf-8")) or {}


def changes() -> list[str]:
    """One sentence for each frozen requirement that vanished or means something else."""
    now = meanings()
    return [
        f"{name}: was “{before}”, is “{now[name]}”" if name in now else f"{name}: vanished"
        for name, before in frozen().items()
        if now.get(name) != before
    ]


def _frozen_text(found: Mapping[str, str]) -> str:
    head = (
        "# Every requirement id with its level and statement. Ids are added by\n"
        "# `python docs/regenerate.py`; they never vanish and never change their meaning.\n"
    )
    return head + yaml.safe_dump(dict(found), allow_unicode=True, width=1000)


def requirements_page() -> str:
    """docs/requirements.md."""
    found = all_requirements()
    profiles = available_profiles()
    parts = [
        "# Requirements\n",
        f"All {len(found)} requirements of the shipped profiles ({', '.join(profiles)}). "
        "An id, its level and its meaning never change. "
        "`conformance explain ID` shows one with the words it rests on.\n",
        "Generated by `python docs/regenerate.py`; do not edit.\n",
    ]
    chapters = sorted({each.split(".")[0] for each in found}, key=_chapter)
    parts.append(" · ".join(f"[{each}](#{each})" for each in chapters) + "\n")
    for chapter in chapters:
        ids = [each for each in found if each.split(".")[0] == chapter]
        head = ("requirement", "level", "statement", "source", "profiles")
        rows = (_row(name, found[name], profiles) for name in sorted(ids))
        parts.append(f"## {chapter}\n\n{table(head, rows)}")
    return "\n".join(parts)


def _chapter(name: str) -> tuple[int, str]:
    return (CHAPTERS.index(name) if name in CHAPTERS else len(CHAPTERS), name)


def _row(name: str, by_profile: Mapping[str, Requirement], profiles: list[str]) -> tuple[str, ...]:
    first = next(iter(by_profile.values()))
    places: dict[str, None] = {}
    for each in by_profile.values():
        places[f"{each.source.kind}: {each.source.reference}"] = None
    shown = "all" if len(by_profile) == len(profiles) else ", ".join(by_profile)
    return (f"`{name}`", level_of(by_profile), first.statement, "; ".join(places), shown)


# Pages


def regenerated() -> dict[Path, str]:
    """Every page that holds something generated, and what it has to say."""
    pages = {DOCS / "requirements.md": requirements_page()}
    for path in sorted(DOCS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if path not in pages and MARKED.search(text):
            pages[path] = MARKED.sub(_filled, text)
    return pages


def _filled(match: re.Match[str]) -> str:
    begin, name, end = match.groups()
    return f"{begin}\n{TABLES[name]()}\n{end}"


def main(arguments: list[str]) -> int:
    """Write everything; 1 if a frozen requirement changed and ``--thaw`` was not given."""
    for path, text in regenerated().items():
        path.write_text(text, encoding="utf-8")
    changed = changes()
    if changed and "--thaw" not in arguments:
        sys.stderr.write("\n".join(["frozen requirements changed (--thaw writes it):", *changed]))
        sys.stderr.write("\n")
        return 1
    FROZEN.write_text(_frozen_text(meanings()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
