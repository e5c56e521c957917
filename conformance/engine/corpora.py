"""The corpus as cases: drawn once for each endpoint and mode, shared by all checks."""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.checks.api import Case
from conformance.checks.context import Subject
from conformance.generate.corpus import Corpus, build_corpus
from conformance.schema.contract import Profile
from conformance.verdicts import Mode
from conformance.wire.exchange import Request

__all__ = ["Corpora"]


class Corpora:
    """Draws the corpus of an endpoint and mode when it is first asked for."""

    def __init__(self, profile: Profile, subject: Subject) -> None:
        self._profile, self._subject = profile, subject
        self.drawn: dict[tuple[str, Mode | None], Corpus] = {}
        self._cases: dict[tuple[str, Mode | None], Sequence[Case]] = {}

    def __call__(self, endpoint: str, mode: Mode | None) -> Sequence[Case]:
        """The cases, in the corpus's order."""
        key = (endpoint, mode)
        if key not in self._cases:
            contract = self._profile.endpoints[endpoint]
            corpus = self.drawn[key] = build_corpus(
                contract,
                mode,
                model=self._subject.model,
                seed=self._subject.seed,
                depth=self._subject.depth,
            )
            path = contract.path_for(self._subject.model)
            self._cases[key] = tuple(
                Case(
                    row.label,
                    Request(
                        contract.method,
                        path,
                        encode(row.body) if contract.method == "POST" else b"",
                    ),
                    data=row,
                    generated=True,
                )
                for row in corpus.rows
            )
        return self._cases[key]


def encode(body: object) -> bytes:
    """A body as compact JSON."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")
