"""targets.yaml: what a good file gives, and which sentence each mistake gets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conformance.errors import ConfigurationError, ExitCode
from conformance.targets import (
    Kind,
    Limits,
    Prices,
    Target,
    Timeouts,
    adhoc_target,
    check_requirement_ids,
    expired_entries,
    load_targets,
    mutant_target,
)
from conformance.targets.shipped import shipped_file, targets_schema
from conformance.verdicts import Mode, Verdict

KEY = "sk-proj-A1b2C3d4E5f6G7h8"
ENTRY = "targets:\n  a:\n    base_url: http://localhost:8000/v1\n    model: m\n    profile: p\n"
DEVIATION = (
    "{requirement: param.stop.effect, verdict: fail, reason: leaks, ticket: T-1,"
    " expires: 2030-01-31}"
)


@pytest.fixture
def load(tmp_path: Path):
    """Loads a targets file with the given content."""

    def load(content: str | bytes) -> dict[str, Target]:
        path = tmp_path / "t.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_targets(path)

    return load


@pytest.fixture
def refusal(load, tmp_path: Path):
    """The sentence with which a content is refused, its path shortened to ``t.yaml``."""

    def refusal(content: str | bytes) -> str:
        with pytest.raises(ConfigurationError) as caught:
            load(content)
        assert caught.value.exit_code == ExitCode.CONFIGURATION
        assert "\n" not in str(caught.value)
        return str(caught.value).replace(str(tmp_path / "t.yaml"), "t.yaml")

    return refusal


def test_the_shipped_file_has_both_documented_hosts():
    """The document prints two base URLs, on different hosts and top-level domains."""
    targets = load_targets(shipped_file("_targets.yaml", "targets.yaml"))

    assert ["reference", "deeptrin", "deeptrin-migration", "openai", "local"] == list(targets)
    assert Kind.REFERENCE is targets["reference"].kind
    assert {
        "https://api.deeptrin.com/inference-api/openai/v1",
        "https://inference-api.deeptrin.ai/inference-api/openai/v1",
    } == {targets[name].base_url for name in ("deeptrin", "deeptrin-migration")}


def test_the_comments_of_the_shipped_file_state_the_defaults():
    """Defaults that the comments name are those of the code."""
    text = shipped_file("_targets.yaml", "targets.yaml").read_text(encoding="utf-8")

    limits, times = Limits(), Timeouts()
    assert f"max_seconds: {limits.max_seconds:g} " in text
    assert f"concurrency: {limits.concurrency} " in text
    for name in ("connect", "first_byte", "idle", "total"):
        assert f"#     {name}: {getattr(times, name):g}" in text
    recovery = Target("a", "", "", "p").recovery_seconds
    assert f"recovery_seconds: {recovery:g} " in text


def test_a_file_in_the_working_directory_comes_before_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Without --targets-file, ./targets.yaml is read if it exists."""
    monkeypatch.chdir(tmp_path)
    shipped = load_targets()
    (tmp_path / "targets.yaml").write_text(ENTRY)

    assert "deeptrin" in shipped
    assert ["reference", "a"] == list(load_targets())


def test_every_member_arrives(load):
    """What the file says is what the target holds."""
    text = (
        ENTRY
        + f"""\
    api_key_env: A_KEY
    headers: {{X-Team: search}}
    verify_tls: false
    limits: {{max_requests: 10, max_completion_tokens: null, max_seconds: 5, concurrency: 2.0}}
    timeouts: {{connect: 1, first_byte: 2, idle: 3, total: 4}}
    recovery_seconds: 0
    prices: {{prompt: 1, completion: 2.5}}
    deviations:
      - {DEVIATION}
    undecided:
      - {{requirement: a.b, reason: no quota, expires: "2030-02-01", endpoint: chat, mode: stream}}
"""
    )

    a = load(text)["a"]

    assert ("A_KEY", False, 0) == (a.api_key_env, a.verify_tls, a.recovery_seconds)
    assert (("X-Team", "search"),) == a.headers
    assert Limits(10, None, 5, 2) == a.limits
    assert isinstance(a.limits.concurrency, int)
    assert Timeouts(1, 2, 3, 4) == a.timeouts
    assert Prices(1, 2.5, "USD") == a.prices
    assert Verdict.FAIL is a.deviations[0].verdict
    assert date(2030, 1, 31) == a.deviations[0].expires
    assert Mode.STREAM is a.undecided[0].mode
    assert date(2030, 2, 1) == a.undecided[0].expires


def test_aliases_and_merges_work(load):
    """Anchors, aliases and `<<` are how YAML shares settings; own members win."""
    text = ENTRY.replace("  a:\n", "  a: &a\n") + "  b:\n    <<: *a\n    model: other\n"

    targets = load(text)

    assert ("m", "other") == (targets["a"].model, targets["b"].model)
    assert targets["a"].base_url == targets["b"].base_url


MISTAKES = [
    ("", "t.yaml: the file is empty; start with `targets:`"),
    (b"a: \x00", "t.yaml: not a YAML text: special characters are not allowed; save it as"),
    (b"\xff\xfe\xfa", "t.yaml: not a YAML text: truncated data"),
    ("targets: [", "t.yaml:1:11: not valid YAML: "),
    ("targets:\n\ta: 1", "t.yaml:2:1: not valid YAML: "),
    ("--- a\n--- b", "t.yaml:2:1: not valid YAML: "),
    ("[" * 5000, "t.yaml: nested deeper than 32 levels"),
    ("targets: &a [*a]", "t.yaml: nested deeper than 32 levels"),
    ("word", "t.yaml:1 (the whole file): 'word' is not a mapping"),
    ("targets:", "t.yaml:1 (/targets): nothing (null) is not a mapping; add an entry"),
    ("targets: {}", "t.yaml:1 (/targets): there is no entry; add an entry"),
    ("targets: {on: {}}", "t.yaml:1 (/targets): a key is not a text; put the key in quotes"),
    ("targets: {a: !!bool x}", "t.yaml:1 (/targets/a): this value cannot be read"),
    ("targets: !!set {a}", "t.yaml:1 (/targets): a YAML tag"),
    ("targets: {all: {profile: p}}", "t.yaml:1 (/targets): 'all' is no name for a target"),
    ("targets: {a/b: {profile: p}}", "t.yaml:1 (/targets): 'a/b' is no name for a target"),
    ("targets: {a: {profile: p}}", "(/targets/a): 'base_url' is missing; add `base_url:`"),
    (ENTRY.replace("    model: m\n", ""), "t.yaml:3 (/targets/a): 'model' is missing"),
    (ENTRY.replace("    profile: p\n", ""), "t.yaml:3 (/targets/a): 'profile' is missing; add"),
    (ENTRY + "    model: x\n", "t.yaml:6 (/targets/a): the key 'model' is given twice"),
    (
        ENTRY + "    limit: {}\n",
        "(/targets/a/limit): 'limit' is not known here; did you mean 'limits'?",
    ),
    (ENTRY + "    limits: {concurency: 1}\n", "t.yaml:6 (/targets/a/limits/concurency): "),
    (ENTRY + "    limits: {concurrency: 0}\n", "/concurrency): 0 is below 1"),
    (ENTRY + "    limits: {concurrency: 1.5}\n", "/concurrency): 1.5 is not a whole number"),
    (ENTRY + "    limits: {max_requests: true}\n", "): true is not a whole number or null"),
    (ENTRY + "    limits: {max_seconds: .inf}\n", "infinity and NaN are no numbers here"),
    (ENTRY + "    limits: {max_seconds: 1" + "0" * 400 + "}\n", "the number is too large"),
    (ENTRY + "    timeouts: {total: .nan}\n", "infinity and NaN are no numbers here"),
    (ENTRY + "    kind: http2\n", "'http2' is not known here; did you mean 'http'?"),
    (ENTRY + "    kind: reference\n", "/base_url): the run starts the reference server itself"),
    (ENTRY.replace("http:", "ftp:"), "/base_url): the scheme 'ftp' is not http or https"),
    (ENTRY + "    headers: {Host: x}\n", "/headers/Host): the suite sets this header itself"),
    (ENTRY + "    headers: {A B: x}\n", "/headers/A B): this is no header name"),
    (ENTRY + '    headers: {A: "x\\ny"}\n', "/headers/A): this is no header value"),
    (ENTRY + "    headers: {A: 1}\n", "/headers/A): this value is not a text; put it in quotes"),
    (
        ENTRY + f"    deviations: [{DEVIATION.replace('fail', 'fial')}]\n",
        "/deviations/0/verdict): 'fial' is not known here; did you mean 'fail'?",
    ),
    (
        ENTRY + f"    deviations: [{DEVIATION.replace('ticket: T-1,', '')}]\n",
        "/deviations/0): 'ticket' is missing",
    ),
    (
        ENTRY + f"    deviations: [{DEVIATION.replace('2030-01-31', '2030-02-30')}]\n",
        "/deviations/0/expires): this is no day of the calendar",
    ),
    (
        ENTRY + f"    deviations: [{DEVIATION.replace('2030-01-31', repr('2030-02-30'))}]\n",
        "/deviations/0/expires): 2030-02-30 is no day of the calendar",
    ),
    (
        ENTRY + f"    deviations: [{DEVIATION.replace('2030-01-31', 'soon')}]\n",
        "/deviations/0/expires): 'soon' does not fit here; write a day as YYYY-MM-DD",
    ),
    (
        ENTRY + f"    deviations: [{DEVIATION}, {DEVIATION}]\n",
        "/deviations/1): param.stop.effect is declared a second time",
    ),
]


@pytest.mark.parametrize(("content", "sentence"), MISTAKES)
def test_each_mistake_gets_a_sentence(refusal, content: str | bytes, sentence: str):
    """File, line, pointer, what is wrong, what to write instead; in one line."""
    assert sentence in refusal(content)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    """The path stands in the sentence."""
    with pytest.raises(ConfigurationError, match=r"none\.yaml: the file cannot be read \(no such"):
        load_targets(tmp_path / "none.yaml")


def test_alias_bombs_are_refused(refusal):
    """Nine levels of ten aliases each stand for 10^9 values."""
    rows = ["a0: &a0 [x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert "more than 50000 values" in refusal("\n".join(rows))


@pytest.mark.parametrize(
    "content",
    [
        ENTRY + f"    api_key_env: {KEY}\n",
        ENTRY + f"    api_key: {KEY}\n",
        ENTRY + f"    {KEY}: x\n",
        ENTRY + f"    headers: {{Authorization: Bearer {KEY}}}\n",
        ENTRY + f"    headers: {{X-Other: {KEY}}}\n",
        ENTRY + f"    headers: {{X-Other: [{KEY}]}}\n",
        ENTRY + f"    kind: {KEY}\n",
        ENTRY + f"    {KEY}: x\n    {KEY}: y\n",
        ENTRY + f"    verify_tls: *{KEY}\n",
        ENTRY.replace("localhost", f"user:{KEY}@localhost"),
        ENTRY.replace("http://localhost", f"{KEY}@localhost"),
        ENTRY.replace("/v1", f"/v1?key={KEY}"),
        ENTRY + "    api_key_env: Zm9vYmFyYmF6MTIzNDU2\n",
    ],
)
def test_a_key_in_the_file_is_refused_and_never_echoed(refusal, content: str):
    """Keys live in the environment; a message ends up in CI logs."""
    said = refusal(content)

    assert KEY not in said
    assert KEY[3:] not in said
    assert "Zm9v" not in said


MEMBERS = sorted(targets_schema()["$defs"]["target"]["properties"])


def values() -> st.SearchStrategy[object]:
    """Whatever YAML can hold."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=12)
        | st.dates()
        | st.datetimes()
        | st.binary(max_size=4)
        | st.sampled_from(["fail", "stream", "http", "reference", "2030-01-01", "http://h/v1"])
    )
    keys = st.sampled_from(
        [*MEMBERS, "targets", "a", "requirement", "verdict", "mode", "expires", "<<"]
    ) | (st.text(max_size=5) | st.integers() | st.none())
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=12,
    )


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to overwrite."""
    return tmp_path_factory.mktemp("targets") / "t.yaml"


def only_configuration_errors(path: Path, content: bytes) -> None:
    """Load ``content``; any exception but ``ConfigurationError`` propagates."""
    path.write_bytes(content)
    try:
        said = str(load_targets(path)["reference"].name)
    except ConfigurationError as error:
        said = str(error)
        placed = said.startswith(str(path))
    else:
        placed = said == "reference"
    assert placed
    assert "\n" not in said


anything = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@anything
@given(value=values())
def test_any_yaml_value_loads_or_is_refused_in_one_sentence(scratch: Path, value: object):
    """Arbitrary YAML values never give a traceback."""
    only_configuration_errors(scratch, yaml.dump(value, allow_unicode=True).encode("utf-8"))


@anything
@given(
    member=st.sampled_from(MEMBERS),
    value=values(),
)
def test_any_value_of_any_member_loads_or_is_refused(scratch: Path, member: str, value: object):
    """A valid entry with one arbitrary member never gives a traceback."""
    entry = {"base_url": "http://h/v1", "model": "m", "profile": "p", member: value}
    only_configuration_errors(scratch, yaml.dump({"targets": {"a": entry}}).encode("utf-8"))


@anything
@given(
    content=st.binary(max_size=60)
    | st.text(max_size=60).map(lambda t: t.encode("utf-8", "replace"))
)
@example(content=b"a: 2026-13-45")
@example(content=b"a: 0x" + b"f" * 5000)
@example(content=b"a: !!timestamp x")
@example(content=b"a: !!float x")
@example(content=b"a: !!int ''")
@example(content=b"? [a]\n: b")
@example(content=b"a: !x b")
@example(content=b"<<: 1")
@example(content=b"a: =")
@example(content=b"%YAML 3.0\n--- a")
@example(content=b"a: 190:20:30")
@example(content=b'a: "\\ud800"')
def test_any_bytes_load_or_are_refused_in_one_sentence(scratch: Path, content: bytes):
    """Arbitrary bytes never give a traceback."""
    only_configuration_errors(scratch, content)


def test_an_adhoc_target_needs_no_file():
    """--base-url and --model are enough; the profile is the one that nearly everyone claims."""
    target = adhoc_target("http://localhost:8000/v1/", "m")

    assert ("adhoc", "http://localhost:8000/v1", "m", "openai-core") == (
        target.name,
        target.base_url,
        target.model,
        target.profile,
    )


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("localhost", "m"), "--base-url: "),
        (("http://h", " "), "--model: "),
        (("http://h", "m", KEY), "--api-key-env: this looks like a key"),
        (("http://h", "m", "A KEY"), "--api-key-env: this is not the name"),
    ],
)
def test_a_bad_adhoc_target_is_placed_at_its_option(arguments: tuple[str, ...], where: str):
    """The sentence starts with the option to change."""
    with pytest.raises(ConfigurationError) as caught:
        adhoc_target(*arguments)

    assert str(caught.value).startswith(where)
    assert KEY not in str(caught.value)


def test_a_mutant_is_named_by_its_defect():
    """mutant:NAME is the reference server with that defect."""
    target = mutant_target("mutant:no-done", lambda name: name == "no-done")

    assert ("mutant:no-done", "no-done", Kind.MUTANT) == (target.name, target.mutant, target.kind)


@pytest.mark.parametrize("name", ["mutant:no-dnoe", "mutant:"])
def test_an_unknown_mutant_is_refused_with_the_nearest(name: str):
    """The sentence names the command that lists them."""
    with pytest.raises(ConfigurationError, match="`conformance mutants` lists them"):
        mutant_target(name, lambda _: False, ["no-done"])


def test_unknown_requirement_ids_are_refused_with_the_nearest(load):
    """A stale id would declare nothing."""
    target = load(ENTRY + f"    deviations: [{DEVIATION}]\n")["a"]

    check_requirement_ids(target, {"param.stop.effect"})
    with pytest.raises(ConfigurationError) as caught:
        check_requirement_ids(target, {"param.stop.effects", "x.y"})

    assert "/targets/a/deviations/0): there is no requirement 'param.stop.effect'" in str(
        caught.value
    )
    assert "did you mean 'param.stop.effects'?" in str(caught.value)


def test_expired_entries_are_noted_not_refused(load):
    """Expiry turns a run red by its verdicts, not by its configuration."""
    target = load(ENTRY + f"    deviations: [{DEVIATION}]\n")["a"]

    assert [] == expired_entries(target, date(2030, 1, 31))
    [note] = expired_entries(target, date(2030, 2, 1))
    assert "param.stop.effect expired on 2030-01-31" in note
