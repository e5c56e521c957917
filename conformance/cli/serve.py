"""``conformance serve``: the reference server, or one of its mutants, alone."""

from __future__ import annotations

import argparse

from conformance.errors import ConfigurationError

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--port", type=int, default=0, metavar="P", help="default: a free port")
    parser.add_argument(
        "--api-key", metavar="K", default=None, help="ask for this key (default: for none)"
    )
    parser.add_argument("--mutant", metavar="NAME", help="serve the mutant NAME instead")
    parser.add_argument(
        "--noise", action="store_true", help="jitter the logits, as batching on GPUs does"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C; prints one line ``base_url=… model=…`` when ready."""
    from conformance.reference.mutants import names
    from conformance.reference.serve import serve
    from conformance.targets.faults import nearest

    if arguments.mutant is not None and arguments.mutant not in names():
        raise ConfigurationError(
            f"there is no mutant {arguments.mutant!r}",
            where="--mutant",
            instead=nearest(arguments.mutant, names(), every=False)
            or "`conformance mutants` lists them",
        )
    serve(
        port=arguments.port,
        key=arguments.api_key,
        mutant=arguments.mutant,
        noise=arguments.noise,
    )
    return 0
