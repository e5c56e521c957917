"""Run a command in a process group of its own: exit code, seconds, seconds of computing
and peak memory, as JSON.

    python measured.py SECONDS COMMAND …

A small process of its own, because the peak that the system tells of a child begins with what its
parent had when it was forked.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time


def main() -> None:
    """Run it, kill it after the seconds, tell on standard error."""
    seconds, *command = sys.argv[1:]
    began = time.monotonic()
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            code = process.wait(float(seconds))
        except subprocess.TimeoutExpired:
            code = None
            os.killpg(process.pid, signal.SIGKILL)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "code": code,
        "seconds": time.monotonic() - began,
        "computed": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
    }
    sys.stderr.write("\n" + json.dumps(told))


if __name__ == "__main__":
    main()
