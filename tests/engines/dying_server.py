"""A tiny server that dies on request: ``POST /die`` ends it, ``POST /sicken`` only its health.

With ``--child`` it first starts a child that outlives it unless the whole group is stopped, and
prints the child's process id.
"""

from __future__ import annotations

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    well = True

    def do_GET(self) -> None:
        self.answer(200 if Handler.well else 503)

    def do_POST(self) -> None:
        if self.path == "/die":
            os._exit(7)
        Handler.well = False
        self.answer(200)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    if "--child" in sys.argv:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        sys.stdout.write(f"child {child.pid}\n")
        sys.stdout.flush()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
