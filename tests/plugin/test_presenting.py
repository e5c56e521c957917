"""pytest presents what the engine decides."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from conformance.reference.serve import start_reference
from conformance.report.results import read_run
from conformance.verdicts import Verdict

MUTANT = ("--target", "mutant:accept-any-406")
HOLDS, BREAKS = "stream.done-marker and chat", "http.accept-any and not regular and not stream"


def test_a_run_from_an_empty_folder(run_pytest, tmp_path):
    """`pytest --pyargs conformance` judges, reports, and leaves by 0."""
    code, output = run_pytest("-k", HOLDS)

    assert 0 == code, output
    assert "1 passed" in output
    assert {"results.jsonl", "matrix.html", "junit.xml", "summary.md"} <= {
        path.name for path in (tmp_path / "run").iterdir()
    }


def test_an_item_is_a_target_a_requirement_an_endpoint_and_a_mode(run_pytest, tmp_path):
    """Collecting names them and sends nothing."""
    code, output = run_pytest("--collect-only", "-q", "-k", HOLDS)

    assert 0 == code
    assert "stream.py::reference::stream.done-marker[chat-stream]" in output
    assert not (tmp_path / "run").exists()


def test_a_failure_shows_the_statement_the_exchange_and_no_traceback(run_pytest, tmp_path):
    """A failing item: 1, the sentence, the exchange as a section; JUnit has its own time."""
    code, output = run_pytest(*MUTANT, "-k", BREAKS, "--junit-xml", tmp_path / "j.xml")

    assert 1 == code
    assert "MUST A request that accepts any media type is answered." in output
    assert "Captured exchange call" in output
    assert "Traceback" not in output
    case = ElementTree.parse(tmp_path / "j.xml").getroot().find(".//testcase")
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}
    line = next(r for r in read_run(tmp_path / "run").results if r.verdict is Verdict.FAIL)
    assert "fail" == properties["verdict"]
    assert line.seconds == pytest.approx(float(case.get("time")), abs=0.002)


def test_markers_select(run_pytest):
    """Levels, modes, endpoints and chapters are markers."""
    code, output = run_pytest("--collect-only", "-q", "-m", "must and stream and completions")

    listed = [line for line in output.splitlines() if "::reference::" in line]
    assert 0 == code
    assert listed
    assert all("[completions-stream]" in line for line in listed)


def test_last_failed_runs_only_what_failed(run_pytest, tmp_path):
    """`--lf` works as people expect."""
    selection = (*MUTANT, "-k", f"({BREAKS}) or ({HOLDS})", "--report-dir")
    run_pytest(*selection, tmp_path / "one", report=False, cache=True)

    code, output = run_pytest(*selection, tmp_path / "two", "--lf", report=False, cache=True)

    assert 1 == code
    assert "1 failed" in output.splitlines()[-1]
    assert "passed" not in output.splitlines()[-1]


def test_x_stops_the_engine(run_pytest, tmp_path):
    """After the first failure nothing more is asked; what was not decided is not run."""
    code, _ = run_pytest(*MUTANT, "-x", "-k", "http or chunk", "--max-requests", 400)

    run = read_run(tmp_path / "run")
    assert 1 == code
    assert Verdict.FAIL in {r.verdict for r in run.results}
    assert run.complete or run.footer is not None


def test_two_targets_side_by_side(run_pytest, tmp_path):
    """`-n 2`: one target's items stay in one worker; the report is one and complete."""
    code, output = run_pytest(
        *("--target", "reference", *MUTANT, "-n", 2, "-k", f"({BREAKS}) or ({HOLDS})"),
        *("--junit-xml", tmp_path / "j.xml"),
    )

    run = read_run(tmp_path / "run")
    assert 1 == code, output
    assert run.footer is not None
    assert {"reference", "mutant:accept-any-406"} == set(run.footer.targets)
    assert ["results.jsonl"] == [p.name for p in (tmp_path / "run").glob("results*.jsonl")]
    root = ElementTree.parse(tmp_path / "j.xml").getroot()
    assert ("4", "1") == tuple(root.find("testsuite").get(name) for name in ("tests", "failures"))


@pytest.mark.parametrize("mode", ["load", "each", "worksteal"])
def test_one_target_is_not_spread_over_processes(run_pytest, mode):
    """Other distributions are refused: 2."""
    code, output = run_pytest("-n", 2, "--dist", mode)

    assert 2 == code
    assert f"--dist {mode} would spread" in output


def test_ctrl_c_keeps_what_was_decided(run_pytest, tmp_path):
    """130, and the report has everything decided so far."""
    path = tmp_path / "run" / "results.jsonl"

    def decided():
        return path.exists() and path.read_text().count('"verdict":"pass"') > 2

    code, output = run_pytest("--concurrency", 1, interrupt_when=decided)

    run = read_run(tmp_path / "run")
    assert 130 == code, output
    assert 130 == run.footer.exit_code
    assert [r for r in run.results if r.verdict is Verdict.PASS]
    assert (tmp_path / "run" / "matrix.html").exists()


def test_an_empty_selection_is_undecided(run_pytest):
    """Nothing selected: 4, never green."""
    code, output = run_pytest("-k", "no_such_word")

    assert 4 == code
    assert "no requirement was selected" in output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--target", "nosuch"), "there is no target 'nosuch'"),
        (("--depth", "deeper"), "--depth"),
        (("--base-url", "http://127.0.0.1:9/v1"), "add --model ID"),
    ],
)
def test_a_mistake_in_the_configuration_is_one_sentence(run_pytest, arguments, expected):
    """2, the sentence, no traceback."""
    code, output = run_pytest(*arguments)

    assert 2 == code
    assert expected in output
    assert "Traceback" not in output


def test_declared_failures_are_xfailed_and_fixed_ones_fail(run_pytest, tmp_path, monkeypatch):
    """A deviation is an expected failure; one that passes is a failure."""
    entry = {"verdict": "fail", "reason": "known", "ticket": "T-1", "expires": "2099-01-01"}
    path = tmp_path / "t.yaml"
    deviations = [{"requirement": id, **entry} for id in ("http.accept-any", "stream.done-marker")]
    with start_reference(mutant="accept-any-406") as server:
        monkeypatch.setenv("FRAIL_KEY", server.key)
        target = {
            "base_url": server.base_url,
            "model": server.model,
            "profile": "deeptrin",
            "api_key_env": "FRAIL_KEY",
            "deviations": deviations,
        }
        path.write_text(json.dumps({"targets": {"frail": target}}))

        selection = f"({BREAKS}) or ({HOLDS})"
        code, output = run_pytest("--targets-file", path, "--target", "frail", "-k", selection)

    assert 1 == code
    assert re.search(r"1 failed, .*1 xfailed", output.splitlines()[-1])
    assert "fixed: passes now" in output
    assert server.key not in output


def test_a_path_that_pytest_mistakes_for_tests_is_a_mistake(run_pytest, tmp_path):
    """Of an existing folder elsewhere pytest makes its root: said, instead of running other tests."""
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here" / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")

    arguments = ("--resume", tmp_path / "elsewhere", "--collect-only")
    code, output = run_pytest(*arguments, where=None, report=False, cwd=tmp_path / "here")

    assert 2 == code
    assert "write --option=" in output


TESTS = """
def test_one():
    assert 1 == 1

def test_two():
    assert 1 == {value}
"""


@pytest.mark.parametrize(("value", "expected"), [(1, 0), (2, 1)])
def test_without_items_of_ours_the_plugin_is_inert(run_pytest, tmp_path, value, expected):
    """Other tests keep their exit codes, and get no folder and no section."""
    (tmp_path / "test_other.py").write_text(TESTS.format(value=value))

    code, output = run_pytest(where="test_other.py", report=False)

    assert expected == code
    assert "= conformance =" not in output
    assert not (tmp_path / "reports").exists()


def test_without_any_test_the_exit_code_is_pytests_own(run_pytest, tmp_path):
    """5, as ever."""
    (tmp_path / "empty").mkdir()

    code, _ = run_pytest(where="empty", report=False)

    assert 5 == code


def test_other_tests_beside_ours_still_count(run_pytest, tmp_path):
    """A failing test of somebody else's keeps the run red."""
    (tmp_path / "test_other.py").write_text(TESTS.format(value=2))

    code, _ = run_pytest("test_other.py", "-k", f"({HOLDS}) or two")

    assert 1 == code


OTHER_PLUGIN = """
def pytest_addoption(parser):
    parser.addoption("--base-url", dest="base_url", help="another plugin's")
"""


def test_a_short_name_that_another_plugin_has_is_left_to_it(run_pytest, tmp_path):
    """Its option is its own, ours has the long spelling, and a notice says so."""
    (tmp_path / "otherplugin.py").write_text(OTHER_PLUGIN)

    code, output = run_pytest(*("-p", "otherplugin", "--base-url", "http://elsewhere", "-k", HOLDS))

    assert 0 == code, output
    assert "--base-url belongs to another plugin here, write --conformance-base-url" in output
    assert "1 passed" in output
