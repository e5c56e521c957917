"""The ``conformance`` command: one module for each subcommand."""

from conformance.cli.main import main

__all__ = ["main"]
