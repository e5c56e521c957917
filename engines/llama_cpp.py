"""llama.cpp's own HTTP server, started from Python.

    LLAMA_API_KEY=… python llama_cpp.py --model FILE --alias ID --host H --port P

runs in the engine's environment. The package xllamacpp is llama.cpp's C++ server as a library: the
same routes and the same code as the program ``llama-server``, without its command line.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

import xllamacpp


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, help="a GGUF file")
    parser.add_argument("--alias", required=True, help="the model's id in the API")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    settings = xllamacpp.CommonParams()
    settings.model.path = given.model
    settings.model_alias = {given.alias}
    settings.hostnames = [given.host]
    settings.port = given.port
    settings.api_keys = [os.environ["LLAMA_API_KEY"]]
    settings.n_parallel = 32  # also the greatest n of a request
    settings.n_ctx = 32 * 4096
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1  # more would spin
    server = xllamacpp.Server(settings)
    sys.stdout.write(f"listening on {server.listening_address}\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main()
