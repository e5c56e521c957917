"""What a run leaves with: the exit code, one sentence, and everything it decided."""

import re
import threading

import pytest

from conformance.options import RunOptions
from conformance.planning import exit_code_of, plan_run, reason_of
from conformance.report.records import Result
from conformance.verdicts import Level, Mode, Verdict

LIVE = ("--target", "mutant:accept-any-406")
BROKEN, HOLDS = "http.accept-any", "stream.done-marker[chat"


def sentence(text):
    """The lines that the command itself says."""
    return [line for line in text.splitlines() if line.startswith("conformance: ")]


def test_a_target_that_keeps_its_promises_conforms(conformance):
    """Nothing failed, nothing undecided: 0."""
    code, _, run = conformance(*LIVE, "-k", HOLDS)

    assert 0 == code == run.footer.exit_code
    assert {Verdict.PASS} == {r.verdict for r in run.results if r.reason is None}


def test_a_broken_promise_is_a_failure(conformance):
    """A MUST that is broken: 1, and the summary names it."""
    code, text, _ = conformance(*LIVE, "-k", BROKEN)

    assert 1 == code
    assert "http.accept-any" in text


def test_never_red_is_never_red(conformance):
    """`--fail-on never` tells everything and fails nothing."""
    code, text, _ = conformance(*LIVE, "-k", BROKEN, "--fail-on", "never")

    assert 0 == code
    assert "http.accept-any" in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--target", "referense"), r"there is no target 'referense'.*reference"),
        (("--target", "mutant:nosuch"), r"mutant"),
        (("--targets-file", "nosuch.yaml"), r"nosuch.yaml"),
        (("--base-url", "http://127.0.0.1:9/v1"), r"--model"),
        (("--depth", "deeper"), r"deep"),
        (("--shard", "3/2"), r"--shard"),
        (("-k", "stop and ("), r"-k: 'stop and \(' is not an expression"),
        (("--resume", "nosuch"), r"nosuch"),
    ],
)
def test_a_mistake_is_one_sentence(conformance, arguments, expected):
    """Wrong names, files and values: 2, one sentence, nothing sent and nothing written."""
    code, text, run = conformance(*arguments)

    assert 2 == code
    assert 1 == len(text.strip().splitlines())
    assert re.search(expected, text)
    assert run is None


def test_a_yaml_error_says_where_it_is(conformance, tmp_path):
    """File, line and column of the mistake."""
    (tmp_path / "bad.yaml").write_text("targets:\n  a: [\n")

    code, text, _ = conformance("--targets-file", "bad.yaml")

    assert 2 == code
    assert re.search(r"bad\.yaml:\d+:\d+", text)


def test_an_unknown_requirement_in_the_targets_file_is_a_mistake(conformance, targets_file):
    """A deviation of nothing would hide nothing: 2."""
    path = targets_file(
        base_url="http://127.0.0.1:9/v1",
        model="m",
        profile="deeptrin",
        deviations=[
            declared("no.such", "2099-01-01", verdict="fail"),
        ],
    )

    code, text, _ = conformance("--targets-file", path, "--target", "frail")

    assert 2 == code
    assert "no.such" in text


def test_a_folder_that_holds_a_run_is_not_written_over(conformance):
    """The earlier run stays as it is: 2."""
    conformance(*LIVE, "-k", HOLDS)

    code, text, _ = conformance(*LIVE, "-k", HOLDS)

    assert 2 == code
    assert "--report-dir" in text


def test_a_dead_port_is_unreachable(conformance):
    """Nobody is there: 3, errors and not a single pass."""
    code, text, run = conformance(
        "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "-k", "http"
    )

    assert 3 == code
    assert 1 == len(sentence(text))
    assert not {Verdict.PASS, Verdict.FAIL} & {r.verdict for r in run.results}


def test_html_on_everything_is_a_failure_and_no_crash(conformance, serve):
    """A web page instead of an API: documented promises are broken, and each says how."""
    url = serve(lambda h: h.say(200, b"<html>Welcome</html>", "text/html"))

    code, _, run = conformance("--base-url", url, "--model", "m", "-k", "shape or accepts or error")

    assert 1 == code
    assert Verdict.ERROR not in {r.verdict for r in run.results}
    assert Verdict.PASS not in {r.verdict for r in run.results if r.chapter == "accepts"}


def test_a_wrong_key_is_said_in_the_summary(conformance, serve):
    """401 to everything: red, and 401 is what the terminal speaks of."""
    body = b'{"error":{"message":"bad key","type":"invalid_request_error","param":null,"code":"x"}}'
    url = serve(lambda h: h.say(401, body))

    code, text, _ = conformance("--base-url", url, "--model", "m", "-k", "accepts")

    assert 1 == code
    assert "401" in text


def test_a_target_that_dies_half_way_is_unreachable(conformance, serve):
    """What was decided stays decided, the rest is not run, and the reason is told: 3."""
    left = [12]
    lock = threading.Lock()

    def answer(handler):
        with lock:
            left[0] -= 1
        if left[0] > 0:
            handler.say(200, b"{}")
        else:
            handler.close_connection = True
            handler.connection.close()

    code, text, run = conformance(
        "--base-url", serve(answer), "--model", "m", "-k", "shape or accepts", "--concurrency", 2
    )

    verdicts = {r.verdict for r in run.results if r.reason is None}
    assert code in (1, 3)
    assert Verdict.NOT_RUN in verdicts
    assert "stopped answering" in text
    assert "unreachable" == run.footer.targets["adhoc"].ended


def test_nothing_selected_is_undecided(conformance):
    """No requirement matches: 4, never green."""
    code, text, _ = conformance(*LIVE, "-k", "no_such_word")

    assert 4 == code
    assert "nothing was decided" in text


def test_a_spent_budget_leaves_musts_undecided(conformance):
    """20 requests and not one more; the rest is not run and listed: 4."""
    code, text, run = conformance(*LIVE, "-k", "shape or chunk", "--max-requests", 20)

    assert 4 == code
    assert 20 == run.footer.requests
    assert "the budget of 20 requests is spent" in text
    assert "undecided:" in text


def test_the_budget_of_seconds_ends_a_run_against_a_silent_server(conformance, serve):
    """A server that never answers costs the time that was allowed."""
    event = threading.Event()
    url = serve(lambda h: event.wait(20))

    code, text, run = conformance(
        "--base-url", url, "--model", "m", "-k", "shape", "--max-seconds", 1
    )
    event.set()

    assert code in (3, 4)
    assert run.footer.seconds < 15
    assert "the budget of 1 seconds is spent" in text


def declared(requirement, expires, **more):
    entry = {"requirement": requirement, "reason": "known", "expires": expires, **more}
    return entry | ({"ticket": "T-1"} if "verdict" in more else {})


@pytest.fixture
def judged(conformance, targets_file, serve, in_days, tmp_path):
    """Judge one MUST of a server that answers {}, with a deviation that expires in ``days``."""

    def run(days):
        deviation = declared("shape.object", in_days(days), verdict="fail")
        url = serve(lambda h: h.say(200, b"{}"))
        path = targets_file(base_url=url, model="m", profile="deeptrin", deviations=[deviation])
        code, _, found = conformance(
            *("--targets-file", path, "--target", "frail", "-k", "shape.object[chat-regular")
        )
        return code, {r.verdict for r in found.results if r.verdict.rule.decided}

    return run


@pytest.mark.parametrize(
    ("days", "expected"), [(30, (0, Verdict.DEVIATION)), (-1, (1, Verdict.FAIL))]
)
def test_a_declared_failure_is_a_deviation_until_it_expires(judged, days, expected):
    """Declared: marked and green; expired: red again."""
    code, verdicts = judged(days)

    assert (expected[0], {expected[1]}) == (code, verdicts)


REFERENCE = """
targets:
  reference:
    kind: reference
    profile: deeptrin
    {kind}: [{entry}]
"""


def test_a_declared_failure_that_passes_is_red(conformance, tmp_path, in_days):
    """`fixed`: the entry has to go."""
    path = tmp_path / "t.yaml"
    entry = declared("stream.done-marker", in_days(30), verdict="fail")
    path.write_text(REFERENCE.format(kind="deviations", entry=entry))

    code, text, run = conformance("--targets-file", path, "-k", HOLDS)

    assert 1 == code
    assert Verdict.FIXED in {r.verdict for r in run.results}
    assert "delete the deviation" in text


@pytest.mark.parametrize(("days", "expected"), [(30, 0), (-1, 4), (None, 4)])
def test_an_undecided_must_has_to_be_listed(tmp_path, in_days, days, expected):
    """Undecided: 4, unless `undecided:` lists it and has not expired."""
    entry = "" if days is None else declared("stream.done-marker", in_days(days))
    path = tmp_path / "t.yaml"
    path.write_text(REFERENCE.format(kind="undecided", entry=entry))
    options = RunOptions(targets_file=path)
    plans = plan_run(options)
    results = [
        Result("reference", name, Level.MUST, "chat", Mode.STREAM, verdict)
        for name, verdict in (
            ("stream.done-marker", Verdict.INCONCLUSIVE),
            ("stream.utf8", Verdict.PASS),
        )
    ]

    code = exit_code_of(results, False, plans, options)

    assert expected == code
    assert (expected == 4) == ("stream.done-marker" in reason_of(code, results, plans))
