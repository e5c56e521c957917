"""Three views of one answer on the page: the wire, the Python SDK, the Node SDK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conformance.report.html import render_html
from conformance.report.learned import Lesson, merged, read_learned
from conformance.report.matrix import load_matrix
from conformance.report.readers import readers

from . import fakes

CALL = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}


def test_versions_that_see_the_same_are_told_together() -> None:
    """Older first; the one that differs has its own words, the wire its own column."""
    (answer,) = readers("t", fakes.CLIENTS).answers
    python, node = answer.columns

    assert ("“Hello”", "finish reason: stop") == answer.wire
    assert [("1.0.0",), ("1.109.1", "3.0.0")] == [each.versions for each in python.readings]
    assert ("ends without a word after 0 chunks",) == python.readings[0].problems
    assert ("“Hello”", "finish reason: stop") == node.readings[0].lines
    assert answer.differs


def test_a_row_for_each_topic_and_a_cell_for_each_client() -> None:
    """Nothing, or what differs in two words."""
    found = readers("t", fakes.CLIENTS)

    assert [("python", "1.0.0"), ("python", "1.109.1"), ("python", "3.0.0")] == [*found.clients[:3]]
    assert (("chat-stream", (("silent, empty",), (), (), ())),) == found.topics
    assert 1 == found.differing


def test_tool_calls_errors_and_counts_are_told_in_words() -> None:
    """As their users would see them."""
    calls = {"choices": {"0": {"text": None, "finish": "tool_calls", "tools": [CALL]}}}
    usage = {"usage": {"prompt_tokens": 9, "completion_tokens": "3", "total_tokens": None}}
    error = {"error": {"class": "NotFoundError", "message": "no such\nmodel"}}

    for view, expected in (
        (calls, 'get_weather({"city": "Oslo"})'),
        ({**fakes.TEXT, **usage}, "usage: 9 + 3 = none"),
        (error, "raises NotFoundError: no such model"),
        ({"choices": {}}, "no choice"),
    ):
        (answer,) = readers("t", [fakes.client("python", "1.0.0", view)]).answers
        assert expected in answer.columns[0].readings[0].lines


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["0", "call", "choices", "error", "tools", "text", "usage", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    views=hostile, wire=hostile, problems=hostile, marks=hostile, shown=hostile, version=st.text()
)
def test_nothing_that_a_client_says_breaks_the_page(
    views: Any, wire: Any, problems: Any, marks: Any, shown: Any, version: str
) -> None:
    """Any shape may come: views are what foreign programs printed."""
    value = {
        "language": "python",
        "version": version,
        "views": {"p": views},
        "wire": wire,
        "problems": problems,
        "marks": marks,
        "shown": shown,
    }

    found = readers("t", [value, {**value, "views": views}])

    assert len(found.clients) == 2


def test_the_page_has_a_section_of_its_own(tmp_path: Path) -> None:
    """What clients saw stands there, and not among what was learned of the target."""
    fakes.write_run(tmp_path, requirements=5, clients=fakes.CLIENTS)

    page = render_html(load_matrix(tmp_path))

    assert "One answer, three readers" in page
    assert "ends without a word after 0 chunks" in page
    assert not any(
        "otherwise" in each.finding for each in read_learned(tmp_path).lessons["reference"]
    )


def test_without_clients_there_is_no_such_section(tmp_path: Path) -> None:
    """The chapter did not run."""
    fakes.write_run(tmp_path, requirements=5)

    assert "three readers" not in render_html(load_matrix(tmp_path))


def test_one_finding_at_two_endpoints_is_one_line() -> None:
    """With both names."""
    lessons = [Lesson("chat", "greedy", "repeats"), Lesson("completions", "greedy", "repeats")]

    assert (Lesson("chat, completions", "greedy", "repeats"),) == merged(lessons)
