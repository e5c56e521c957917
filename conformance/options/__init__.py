"""The options of a run: one table, from which pytest, the console script and the docs are fed."""

from conformance.options.chosen import RunOptions
from conformance.options.flags import (
    add_arguments,
    add_long_names,
    add_short_names,
    markdown_table,
)
from conformance.options.table import OPTIONS, FailOn, Option, Shard

__all__ = [
    "OPTIONS",
    "FailOn",
    "Option",
    "RunOptions",
    "Shard",
    "add_arguments",
    "add_long_names",
    "add_short_names",
    "markdown_table",
]
