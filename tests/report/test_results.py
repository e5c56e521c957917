from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.errors import ConfigurationError
from conformance.report.records import Amendment, Footer, Header, Malformed, Result, Run
from conformance.report.results import ResultsWriter, problems, read_run, update_latest
from conformance.verdicts import Level, Verdict

from . import fakes

HEADER = Header("0.1.0", "2026-11-22T23:40:00Z", "c0ffee")
RESULT = Result("t", "a.b", Level.MUST, None, None, Verdict.FAIL, "m", evidence=("x1",))
KINDS = {"header": Header, "result": Result, "amend": Amendment, "footer": Footer}

slow_files = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def write(path: Path, run: Run) -> bytes:
    path.unlink(missing_ok=True)
    with ResultsWriter(path, run.header) as writer:
        for result in run.results:
            writer.write(result)
        if run.footer:
            writer.finish(run.footer)
    return path.read_bytes()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "results.jsonl"


@slow_files
@given(run=fakes.runs)
def test_what_is_written_is_read_back(path: Path, run: Run) -> None:
    """Any run, hostile text included, survives the file."""
    write(path, run)

    assert run == read_run(path)


@slow_files
@given(run=fakes.runs)
def test_every_written_line_satisfies_the_schema(path: Path, run: Run) -> None:
    """The JSON Schema describes what the writer writes."""
    data = write(path, run)

    assert [] == [p for line in data.splitlines() for p in problems(json.loads(line))]


@slow_files
@given(run=fakes.runs, share=st.floats(0, 1))
def test_a_file_cut_anywhere_is_an_interrupted_run(path: Path, run: Run, share: float) -> None:
    """Killed at any byte after the header line: every whole line is still read."""
    data = write(path, run)
    start = data.index(b"\n") + 1
    cut = data[: start + int((len(data) - start) * share)]
    path.write_bytes(cut)

    read = read_run(path)

    whole = min(cut.count(b"\n") - 1, len(run.results))
    assert run.results[:whole] == read.results[:whole]
    assert len(read.results) - whole in (0, 1)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), run=fakes.runs.filter(lambda run: run.footer is not None))
def test_the_reader_and_the_schema_agree(data: st.DataObject, run: Run) -> None:
    """A line with one member changed or left out is refused by both or by neither."""
    line = data.draw(st.sampled_from(run.to_json()))
    name = data.draw(st.sampled_from([name for name in line if name != "type"]))
    if data.draw(st.booleans()):
        del line[name]
    else:
        odd = st.sampled_from(["", "pass", -1, 1.0, 1.5, True, None, [], [1], {}, {"pass": -1}])
        line[name] = data.draw(odd)
    if line["type"] == "header" and name in ("profile", "model", "base_url"):
        return  # shown for people; the reader takes them from `targets`

    assert bool(problems(line)) == (not accepted(line))


def accepted(line: dict[str, Any]) -> bool:
    try:
        KINDS[line["type"]].from_json(line)
    except Malformed:
        return False
    return True


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"\xff\xfe\x00",
        b"{}\n",
        b"[]\n",
        b'{"type":"result"}\n',
        b'{"type":"header"}\n',
        json.dumps(RESULT.to_json()).encode(),
        json.dumps(HEADER.to_json()).encode() + b"\nnot json\n{}\n",
        json.dumps(HEADER.to_json()).encode() + b'\n{"type":"strange"}\n',
        (json.dumps(HEADER.to_json()) + "\n").encode() * 2,
    ],
)
def test_a_foreign_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    """Whatever is no results file: a configuration error that names file and line."""
    (tmp_path / "results.jsonl").write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        read_run(tmp_path)

    assert "\n" not in str(caught.value)
    assert "results.jsonl:" in str(caught.value)


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    """Nothing to read is said, not raised as an operating system error."""
    with pytest.raises(ConfigurationError, match="No such file"):
        read_run(tmp_path)


def test_a_verdict_is_decided_once(tmp_path: Path) -> None:
    """Two verdicts for one key are no results file of ours."""
    write(tmp_path / "results.jsonl", Run(HEADER, (RESULT, RESULT)))

    with pytest.raises(ConfigurationError, match="decided twice"):
        read_run(tmp_path)


def test_not_run_gives_way_to_a_later_verdict(tmp_path: Path) -> None:
    """A resumed run may decide what was not run before."""
    before = Result("t", "a.b", Level.MUST, None, None, Verdict.NOT_RUN)
    write(tmp_path / "results.jsonl", Run(HEADER, (before, RESULT)))

    assert (RESULT,) == read_run(tmp_path).results


def test_an_amendment_adds_what_shrinking_found(tmp_path: Path) -> None:
    """The verdict stays; the smallest failing request is added."""
    with ResultsWriter(tmp_path / "results.jsonl", HEADER) as writer:
        writer.write(RESULT)
        writer.amend(Amendment("t", "a.b", None, None, minimal="x9", curl="curl x"))

    (read,) = read_run(tmp_path).results

    assert (Verdict.FAIL, "x9", "curl x") == (read.verdict, read.minimal, read.curl)


def test_workers_files_are_read_as_one_run(tmp_path: Path) -> None:
    """A run killed before its workers' files were merged can still be reported."""
    other = Result("u", "a.b", Level.MUST, None, None, Verdict.PASS)
    write(tmp_path / "results-gw0.jsonl", Run(HEADER, (RESULT,)))
    write(tmp_path / "results-gw1.jsonl", Run(HEADER, (other,)))

    run = read_run(tmp_path)

    assert ((RESULT, other), None) == (run.results, run.footer)


def test_a_second_run_never_overwrites_the_first(tmp_path: Path) -> None:
    """An existing results file is left alone."""
    path = tmp_path / "results.jsonl"
    before = write(path, Run(HEADER, (RESULT,)))

    with pytest.raises(ConfigurationError, match="holds no run yet"):
        ResultsWriter(path, HEADER)

    assert before == path.read_bytes()


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    """A report directory that cannot be made is the user's mistake, said in one sentence."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="cannot be written"):
        ResultsWriter(tmp_path / "file" / "results.jsonl", HEADER)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from conformance.errors import ConfigurationError
from conformance.report.records import Header, Result
from conformance.report.results import ResultsWriter
from conformance.verdicts import Level, Verdict
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = ResultsWriter(Path(sys.argv[1]), Header("v", "s", "c"))
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    for n in range(10_000):
        writer.write(Result("t", f"a.b{n}", Level.MUST, None, None, Verdict.PASS))
except ConfigurationError as error:
    print(error)
    print(n)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_FSIZE, as Linux has it")
def test_a_full_disk_loses_nothing_already_written(tmp_path: Path) -> None:
    """Every line before the one that did not fit is whole, and the trouble is one sentence."""
    path = tmp_path / "results.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True
    )

    message, written = done.stdout.strip().splitlines()

    assert "cannot be written" in message
    assert int(written) == len(read_run(path).results)
    assert path.read_bytes().endswith(b"\n")


def test_latest_points_at_the_newest_run(tmp_path: Path) -> None:
    """The link moves in one step, and is relative: the folder can be moved."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        update_latest(tmp_path / name)

    assert Path("two") == (tmp_path / "latest").readlink()
    assert ["latest", "one", "two"] == sorted(p.name for p in tmp_path.iterdir())


def test_a_latest_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    """A real folder of that name is not ours to replace."""
    (tmp_path / "latest").mkdir()
    (tmp_path / "one").mkdir()

    update_latest(tmp_path / "one")

    assert not (tmp_path / "latest").is_symlink()
