from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import escape

from conformance.report.catalogue import Entry
from conformance.report.evidence import Record
from conformance.report.exhibit import exhibit
from conformance.report.failures import failures
from conformance.report.html import embedded_json, render_html, ticked
from conformance.report.matrix import build_matrix, load_matrix
from conformance.report.records import Header, Result, Run, TargetHeader
from conformance.report.write import write_reports
from conformance.verdicts import Level, Verdict

from . import fakes

MUST, ERROR = Level.MUST, Verdict.ERROR


class Shape(HTMLParser):
    """The tags and attributes of a page, and the text of its blocks."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: dict[str, str] = {}
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._in = dict(attrs).get("type") or tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.blocks[self._in] = self.blocks.get(self._in, "") + data


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    fakes.write_run(folder, targets=("reference", "other"), requirements=50, trouble=0.3)
    return render_html(load_matrix(folder))


def outside(page: str) -> Iterator[str]:
    """Every address that the page would load something from."""
    for _, attributes in Shape(page).tags:
        yield from (
            v or "" for k, v in attributes.items() if k in ("src", "srcset", "data", "action")
        )


def test_the_page_loads_nothing(page: str) -> None:
    """No source, no style sheet, no font: it works from a disk."""
    assert [] == list(outside(page))
    assert not [tag for tag, _ in Shape(page).tags if tag in ("link", "img", "iframe", "base")]
    assert not re.search(r"@import|url\(", Shape(page).blocks["style"])


def test_the_policy_names_the_only_style_and_script(page: str) -> None:
    """The digests are of the very text between the tags."""
    shape = Shape(page)
    policy = next(a["content"] for t, a in shape.tags if a.get("http-equiv")) or ""

    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(shape.blocks[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_no_handler_or_style_attribute(page: str) -> None:
    """All behaviour and looks are in the two blocks."""
    names = {name for _, attributes in Shape(page).tags for name in attributes}

    assert not {name for name in names if name.startswith("on") or name == "style"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(run=fakes.runs, statement=fakes.texts)
def test_text_never_becomes_markup(run: Run, statement: str) -> None:
    """Whatever a run holds, the page has the tags of its template and no others."""
    entries = {r.requirement: Entry(statement, quote=statement) for r in run.results}

    shape = Shape(render_html(build_matrix(run, entries, {})))

    tags = {tag for tag, _ in shape.tags}
    assert tags <= set(TAGS)
    assert 2 == sum(tag == "script" for tag, _ in shape.tags)
    assert not {n for _, attributes in shape.tags for n in attributes if n.startswith("on")}


TAGS = [
    "html",
    "nav",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "header",
    "h1",
    "h2",
    "h3",
    "p",
    "b",
    "main",
    "section",
    "ul",
    "li",
    "dl",
    "div",
    "dt",
    "dd",
    "span",
    "svg",
    "rect",
    "small",
    "code",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "i",
    "details",
    "summary",
    "noscript",
    "form",
    "label",
    "input",
    "select",
    "option",
    "button",
    "output",
    "footer",
    "script",
]


@given(st.recursive(st.text() | st.sampled_from(fakes.INJECTIONS), st.lists))
def test_embedded_json_cannot_end_its_block(value: Any) -> None:
    """No angle bracket, and the same value comes back."""
    text = embedded_json(value)

    assert not set("<>&\u2028\u2029") & set(text)
    assert value == json.loads(text)


@given(text=fakes.texts)
def test_ticks_become_code_and_nothing_else_changes(text: str) -> None:
    """Escaped all the same; a tick without a partner stays."""
    marked = ticked(text)

    plain = str(marked).replace("<code>", "`").replace("</code>", "`")
    assert str(escape(text)) == plain
    assert text.count("`") // 2 == str(marked).count("<code>")


def test_every_verdict_can_be_opened(page: str, tmp_path: Path) -> None:
    """The grid leads to each result's verdict and message, evidence to its exhibit."""
    results = fakes.write_run(tmp_path, targets=("a", "b"), requirements=40, trouble=0.3)
    data = load_matrix(tmp_path).data
    ids = [row[0] for row in data["requirements"]]
    verdicts = list(data["verdicts"])

    found = {
        (data["targets"][t], ids[r], data["slots"][slot][0]): (
            verdicts[v],
            data["texts"][text],
            len(more),
        )
        for r, row in enumerate(data["grid"])
        for t, cell in enumerate(row)
        for slot, v, text, *more in data["cells"][cell]
    }

    for each in results:
        verdict, message, _ = found[each.target, each.requirement, each.key.place]
        assert (each.verdict.value, each.message) == (verdict, message)
    assert len(results) == len(found)


def test_every_failure_leads_to_its_exhibits(tmp_path: Path) -> None:
    """The smallest failing request and the one that first showed it, the very first included."""
    results = fakes.write_run(tmp_path, targets=("a",), requirements=40, trouble=0.3)
    data = load_matrix(tmp_path).data
    fail = list(data["verdicts"]).index("fail")

    extras = [place[3] for cell in data["cells"] for place in cell if place[1] == fail]

    expected = {
        id for r in results if r.verdict.value == "fail" for id in (r.minimal, r.evidence[0])
    }
    shown = {data["exhibits"][each[k]]["id"] for each in extras for k in ("minimal", "first")}
    assert expected == shown


def test_a_cause_shared_by_many_is_told_once() -> None:
    """A server that went away is one failure; different messages stay apart."""
    header = Header("v", "s", "c", targets=(TargetHeader("t"),))
    lost = [Result("t", f"a.r{n}", MUST, None, None, ERROR, "the target stopped") for n in range(9)]
    own = [Result("t", f"b.r{n}", MUST, None, None, ERROR, f"message {n}") for n in range(9)]

    found = failures(Run(header, (*lost, *own)))

    assert ["and 8 more requirements"] + ["target"] * 9 == [failure.where for failure in found]


def test_rows_that_fail_come_first(page: str, tmp_path: Path) -> None:
    """Within a chapter, the worst requirement is on top."""
    fakes.write_run(tmp_path, requirements=60, trouble=0.2)

    for chapter in load_matrix(tmp_path).chapters:
        ranks = [row.rank for row in chapter.rows]
        assert sorted(ranks, reverse=True) == ranks


def test_a_big_page_stays_small(tmp_path: Path) -> None:
    """50 targets × 300 requirements, a tenth of the verdicts in trouble: below 5 MB."""
    targets = [f"target-{n:02}" for n in range(50)]
    fakes.write_run(tmp_path, targets=targets, requirements=300, trouble=0.1)

    write_reports(tmp_path)

    assert (tmp_path / "matrix.html").stat().st_size < 5_000_000


@settings(deadline=None)
@given(
    body=st.binary(max_size=400), room=st.integers(400, 4000), event=st.none() | st.integers(0, 9)
)
def test_an_exhibit_of_any_bytes_is_json(body: bytes, room: int, event: int | None) -> None:
    """Whatever came back, as a stream or not, can be shown."""
    kind = (("content-type", "text/event-stream"),)
    record = Record(
        "x", "t", "POST", "/x", "http://h/x", body=body, status=200, headers=kind, response=body
    )

    shown = exhibit(record, event=event, room=room)

    assert embedded_json(shown)
    assert "\ufffd" not in shown.get("response", "") or "\ufffd".encode() in body


def test_the_guilty_event_is_marked_however_long_the_stream() -> None:
    """Of 500 events the first, the last and those around the guilty one."""
    response = b"".join(b"data: %d\n\n" % n for n in range(500))
    reads = tuple((n / 100, 9 * n) for n in range(500))
    kind = (("content-type", "text/event-stream"),)
    record = Record(
        "x", "t", "POST", "/x", "u", status=200, headers=kind, response=response, reads=reads
    )

    rows = exhibit(record, event=250, room=8000)["timeline"]["rows"]

    assert ["250"] == [row[2] for row in rows if row[3] == "guilty"]
    assert ("0", "499") == (rows[0][2], rows[-1][2])
    assert len(rows) < 40
