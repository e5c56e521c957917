"""Dispatch: parse, run one subcommand, turn errors of ours into one sentence and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

import conformance
from conformance.errors import ConformanceError, ExitCode

__all__ = ["build_parser", "main"]

#: Subcommands in the order in which ``--help`` shows them; each is a module of this package with
#: ``SUMMARY``, ``configure(parser)`` and ``run(arguments) -> int``.
COMMANDS: tuple[str, ...] = (
    "run",
    "serve",
    "mutants",
    "plan",
    "explain",
    "targets",
    "deviations",
    "rejudge",
    "nightly",
    "report",
)


def build_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """The parser; only the ``chosen`` subcommand's module is imported in full."""
    parser = argparse.ArgumentParser(
        prog="conformance",
        description="Which documented promises does an OpenAI-style endpoint keep?",
        epilog="`conformance COMMAND --help` shows the options of a command.",
    )
    parser.add_argument("--version", action="version", version=conformance.__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        summary = SUMMARIES[name]
        sub = commands.add_parser(name, help=summary, description=summary)
        if name == chosen:
            import_module(f"conformance.cli.{name}").configure(sub)
    return parser


#: One line each, kept here so that ``--help`` need not import what a command needs.
SUMMARIES: dict[str, str] = {
    "run": "judge targets and write a report",
    "serve": "run the reference server, or one of its mutants, alone",
    "mutants": "list the mutants: reference servers with one named defect each",
    "plan": "say what a run would ask and cost, without sending anything",
    "explain": "show a requirement: its statement, its source, the sentences it is traced to",
    "targets": "list the configured targets and whether their keys are set",
    "deviations": "propose entries for targets.yaml from a run",
    "rejudge": "judge the recorded exchanges of a run again, sending nothing",
    "nightly": "judge every target whose key is set, side by side, and keep a history",
    "report": "merge runs, compare them, or build their pages again",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in arguments if word in COMMANDS), None)
    try:
        parsed = build_parser(chosen).parse_args(arguments)
        code: int = import_module(f"conformance.cli.{parsed.command}").run(parsed)
        return code
    except ConformanceError as error:
        print(f"conformance: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("conformance: interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return ExitCode.CONFORMS
