"""One table of options for pytest, the console script and the docs."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.checks.api import Depth
from conformance.errors import ConfigurationError
from conformance.options import (
    OPTIONS,
    FailOn,
    RunOptions,
    Shard,
    add_arguments,
    markdown_table,
)

pytest_plugins = ["pytester"]


def parse(*arguments: str) -> RunOptions:
    """The options of a command line."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return RunOptions.from_namespace(parser.parse_args(arguments))


def test_every_option_has_a_field_and_every_field_an_option():
    """The table and the value agree, defaults included."""
    assert [option.field for option in OPTIONS] == [each.name for each in fields(RunOptions)]
    assert RunOptions() == parse()
    assert {option.field: option.default for option in OPTIONS} == {
        each.name: each.default for each in fields(RunOptions)
    }


def test_every_option_has_a_spelling_of_its_own():
    """--conformance-… names cannot clash with another plugin's."""
    for option in OPTIONS:
        assert option.long_name.startswith("--conformance-")
    names = [name for option in OPTIONS for name in option.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("prefix", ["--", "--conformance-"])
def test_all_values_arrive_by_either_spelling(prefix: str):
    """Texts become values."""
    options = parse(
        *(f"{prefix}target=a", f"{prefix}target=b", f"{prefix}targets-file=t.yaml"),
        *(f"{prefix}schemas-dir=x", f"{prefix}base-url=http://h", f"{prefix}model=m"),
        *(f"{prefix}api-key-env=K", f"{prefix}profile=p", f"{prefix}report-dir=r"),
        *(f"{prefix}depth=deep", "--conformance-seed=-3", f"{prefix}max-requests=1"),
        *(f"{prefix}max-completion-tokens=2", f"{prefix}max-seconds=0.5"),
        *(f"{prefix}concurrency=4", f"{prefix}timeout=9", f"{prefix}fail-on=never"),
        *(f"{prefix}probe-all", f"{prefix}resume=d", f"{prefix}shard=2/3"),
    )

    assert (
        RunOptions(
            targets=("a", "b"),
            targets_file=Path("t.yaml"),
            schemas_dirs=(Path("x"),),
            base_url="http://h",
            model="m",
            api_key_env="K",
            profile="p",
            report_dir=Path("r"),
            depth=Depth.DEEP,
            seed=-3,
            max_requests=1,
            max_completion_tokens=2,
            max_seconds=0.5,
            concurrency=4,
            timeout=9.0,
            fail_on=FailOn.NEVER,
            probe_all=True,
            resume=Path("d"),
            shard=Shard(2, 3),
        )
        == options
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--depth", "depe"], "--depth: 'depe' does not fit; did you mean 'deep'? known: deep, q"),
        (["--fail-on", "x"], "--fail-on: 'x' does not fit; known: must, never, should"),
        (["--max-requests", "0"], "--max-requests: '0' does not fit; write a whole number from 1"),
        (["--max-requests", "1e3"], "--max-requests: '1e3' does not fit"),
        (["--max-seconds", "nan"], "--max-seconds: 'nan' does not fit; write a number of seconds"),
        (["--timeout", "inf"], "--timeout: 'inf' does not fit"),
        (["--conformance-seed", "x"], "--conformance-seed: 'x' does not fit; write a whole number"),
        (["--shard", "3/2"], "--shard: '3/2' does not fit; write i/k with 1 <= i <= k"),
        (["--shard", "1"], "--shard: '1' does not fit"),
        (["--target", ""], "--target: '' does not fit; write a text"),
        (["--base-url", "http://h"], "--base-url: the model is missing; add --model ID"),
        (["--model", "m"], "--model: this describes a target of --base-url"),
        (["--api-key-env", "K"], "--api-key-env: this describes a target of --base-url"),
        (["--profile", "p"], "--profile: this describes a target of --base-url"),
    ],
)
def test_a_bad_value_is_the_same_sentence_everywhere(arguments: list[str], sentence: str):
    """A configuration error by whichever front end it was typed."""
    with pytest.raises(ConfigurationError) as caught:
        parse(*arguments)

    assert str(caught.value).startswith(sentence)


@given(st.dictionaries(st.sampled_from([each.dest for each in OPTIONS]), st.text(max_size=8)))
def test_any_texts_are_options_or_refused(texts: dict[str, str]):
    """No text gives a traceback."""
    namespace = argparse.Namespace(
        **{
            option.dest: [texts[option.dest]] if option.repeatable else texts[option.dest]
            for option in OPTIONS
            if option.dest in texts
        }
    )
    try:
        options = RunOptions.from_namespace(namespace)
    except ConfigurationError:
        return

    json.dumps(options.describe())


def test_options_are_described_as_json():
    """The header of a run says what was asked."""
    shown = parse("--shard", "1/2", "--depth", "quick", "--schemas-dir", "d").describe()

    assert ("1/2", "quick", ["d"]) == (shown["shard"], shown["depth"], shown["schemas_dirs"])
    assert shown == json.loads(json.dumps(shown))


def test_limits_and_the_adhoc_target_come_from_the_options():
    """The two things that options make of targets."""
    options = parse("--base-url", "http://h/v1", "--model", "m", "--max-requests", "3")

    adhoc = options.adhoc()

    assert adhoc is not None
    assert ("adhoc", "openai-core") == (adhoc.name, adhoc.profile)
    assert 3 == options.limited(adhoc).limits.max_requests
    assert parse().adhoc() is None


def test_the_table_of_the_docs_has_a_row_for_each_option():
    """The docs are generated from the code."""
    rows = markdown_table().splitlines()

    assert len(OPTIONS) + 2 == len(rows)
    assert all(rows[at + 2].startswith(f"| `{each.names[0]}") for at, each in enumerate(OPTIONS))


PLUGIN = """
import copy
import pytest
from conformance.options import RunOptions, add_long_names, add_short_names

def pytest_addoption(parser):
    add_long_names(parser)

@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    early_config.notices = add_short_names(parser)
    early_config.known_args_namespace = parser.parse_known_args(
        args, namespace=copy.copy(early_config.option))

def pytest_report_header(config):
    options = RunOptions.from_namespace(config.option)
    return [f"url {options.base_url} targets {options.targets}", *config.notices]
"""
OTHER = """
def pytest_addoption(parser):
    parser.addoption("--base-url", dest="base_url", default="theirs")

def pytest_report_header(config):
    return [f"other {config.getoption('base_url')}"]
"""


@pytest.mark.parametrize("order", [("ours", "other"), ("other", "ours")])
def test_a_short_name_of_another_plugin_is_left_to_it(
    pytester: pytest.Pytester, order: tuple[str, str]
):
    """Whichever plugin registers first, the other plugin's --base-url keeps working."""
    pytester.makepyfile(ours=PLUGIN, other=OTHER, test_one="def test_one(): pass")
    pytester.syspathinsert()
    plugins = [argument for name in order for argument in ("-p", name)]

    result = pytester.runpytest_subprocess(
        *plugins,
        "-p",
        "no:conformance.plugin",
        *(
            "--base-url",
            "http://t",
            "--target",
            "a",
            "--target=b",
            "--conformance-base-url=http://o",
        ),
        *("--model", "m"),
    )

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines_random(
        [
            "url http://o targets ('a', 'b')",
            "other http://t",
            "conformance: --base-url belongs to another plugin here, write --conformance-base-url",
        ]
    )
