"""Collection: chapters of checks as files, targets below them, one item for each verdict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.checks import chapters
from conformance.checks.catalogue import Item
from conformance.engine.assembly import TargetPlan
from conformance.plugin.running import RUN
from conformance.report.records import Result
from conformance.verdicts import Verdict

__all__ = ["ChapterFile", "ConformanceItem"]


class NotConforming(pytest.fail.Exception):  # type: ignore[misc,name-defined]
    """A requirement does not hold; shown without a traceback."""

    def __init__(self, message: str) -> None:
        super().__init__(_encodable(message), pytrace=False)


class ChapterFile(pytest.File):
    """One chapter module."""

    def collect(self) -> Iterator[pytest.Collector]:
        """One node for each target."""
        for plan in self.config.stash[RUN].plans():
            yield TargetNode.from_parent(self, name=plan.name, plan=plan)


class TargetNode(pytest.Collector):
    """One target within a chapter."""

    def __init__(self, *, plan: TargetPlan, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan

    def collect(self) -> Iterator[pytest.Item]:
        """The items whose checks live in this chapter's module."""
        for number, item in enumerate(self.plan.items):
            if _module(item) == self.path.stem:
                yield ConformanceItem.from_parent(
                    self, name=item.name, plan=self.plan, item=item, number=number
                )


def _module(item: Item) -> str:
    """The chapter module of a check; ``__init__`` for one from another package."""
    package, _, module = item.requirement.module.rpartition(".")
    return module if package == chapters.__name__ else "__init__"


class ConformanceItem(pytest.Item):
    """One verdict to wait for."""

    def __init__(self, *, plan: TargetPlan, item: Item, number: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan, self.item, self.number = plan, item, number
        self.result: Result | None = None
        requirement = item.requirement
        words = [requirement.level.lower(), requirement.chapter, item.endpoint, item.mode]
        for word in words:
            if word and word.isidentifier():
                # A plain str: xdist sends the names of markers to its controller.
                self.config.stash[RUN].know_marker(str(word))
                self.add_marker(str(word))
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(plan.name))

    def setup(self) -> None:
        """Wait for the verdict; no answer at all is an error here."""
        result = self.result = self.config.stash[RUN].verdict(self)
        self.user_properties += [
            ("level", result.level.value),
            ("verdict", result.verdict.value),
            ("requests", result.requests),
        ]
        if result.message:
            self.user_properties.append(("message", _encodable(result.message)))
        if result.evidence:
            self.user_properties.append(("evidence", " ".join(result.evidence)))
        if result.verdict is Verdict.ERROR:
            raise NotConforming(result.message)
        if result.verdict.rule.pytest == "skipped":
            pytest.skip(_encodable(f"{result.verdict}: {result.message}"))

    def runtest(self) -> None:
        """Pass, fail or xfail as the verdict says."""
        result = self.result
        assert result is not None
        if section := self.config.stash[RUN].exchange(result, self.plan.target.start):
            self.add_report_section("call", "exchange", _encodable(section))
        if result.verdict is Verdict.DEVIATION:
            pytest.xfail(_encodable(result.message))
        if result.verdict.rule.bad:
            raise NotConforming(f"{result.verdict}: {result.message}")

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The statement and what was seen, without a traceback."""
        if not isinstance(excinfo.value, NotConforming):
            return super().repr_failure(excinfo, style)
        requirement = self.item.requirement
        source = requirement.source
        lines = [f"{requirement.level} {requirement.statement}", str(excinfo.value)]
        if source.quote:
            lines.append(f"“{source.quote}” ({source.reference})")
        else:
            lines.append(f"({source.kind}: {source.reference})")
        return "\n".join(lines)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the check is, and what it is called."""
        return self.path, None, f"{self.plan.name}: {self.name}"


def _encodable(text: str) -> str:
    """``text`` as UTF-8 can carry it: a target may send half a surrogate pair."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
