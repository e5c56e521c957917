"""An engine on this machine: its environment, its folder, the model, what it is started with."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from conformance.reference.corpus import SENTENCES
from engines.definition import FOLDER, Engine, load_engine
from engines.environment import Unavailable, ensure_environment
from engines.supervisor import HOST, Supervisor, free_port

__all__ = ["MODEL", "Installed", "install"]

SCRIPT = FOLDER / "tiny_model.py"
MODEL = "conformance/tiny-llama"


@dataclass(frozen=True)
class Installed:
    """An engine that can be started. ``behind`` is the engine it forwards to, if any."""

    engine: Engine
    executables: Path
    work: Path
    model_folder: Path
    port: int = field(default_factory=free_port)
    key: str = field(default_factory=lambda: f"sk-{secrets.token_hex(16)}", repr=False)
    behind: Installed | None = None

    @property
    def base_url(self) -> str:
        """Where clients find it."""
        return f"http://{HOST}:{self.port}{self.engine.base_path}"

    @property
    def environment(self) -> dict[str, str]:
        """Its variables: no key of ours, and a hub cache of its own that is never refreshed."""
        inherited = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_TOKEN"))}
        return inherited | {
            "HF_HOME": str(self.work / "hf"),
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "DO_NOT_TRACK": "1",
            "PYTHONUNBUFFERED": "1",
            **{name: self.fill(text) for name, text in self.engine.environment.items()},
        }

    def fill(self, text: str) -> str:
        """``text`` with the words in braces replaced."""
        return text.format(
            bin=self.executables,
            tools=FOLDER,
            model=MODEL,
            model_dir=self.model_folder,
            host=HOST,
            port=self.port,
            work=self.work,
            upstream=self.behind.base_url if self.behind else "",
            key=self.key,
            upstream_key=self.behind.key if self.behind else "",
        )

    def prepared(self) -> None:
        """Write its files, run its preparations.

        Raises:
            Unavailable: with the end of what a preparation said.
        """
        for name, text in self.engine.files.items():
            (self.work / name).write_text(self.fill(text), encoding="utf-8")
        for line in self.engine.prepare:
            command = [self.fill(word) for word in line]
            _run(command, f"{Path(command[-1]).name} could not be made", self.environment)

    @contextmanager
    def running(self) -> Iterator[list[Supervisor]]:
        """A context in which it is up, and the engine behind it before it: their supervisors."""
        supervisor = Supervisor(
            [self.fill(text) for text in self.engine.command],
            port=self.port,
            health_path=self.engine.health,
            log=self.work / "server.log",
            environment=self.environment,
            folder=self.work,
            ready_seconds=self.engine.ready_seconds,
        )
        if self.behind is None:
            with supervisor:
                yield [supervisor]
            return
        with self.behind.running() as others:
            self.prepared()
            with supervisor:
                yield [supervisor, *others]


def install(engine: Engine, root: Path, work: Path | None = None) -> Installed:
    """Environment, model and files of ``engine``; what is there already is taken up again.

    Raises:
        Unavailable: with the reason.
    """
    executables = ensure_environment(engine, root / "environments")
    work = work or root / engine.name
    work.mkdir(parents=True, exist_ok=True)
    (work / "server.log").unlink(missing_ok=True)
    model = _make_model(executables, work) if engine.needs_model else work
    installed = Installed(engine, executables, work, model)
    if engine.upstream:
        behind = install(load_engine(engine.upstream), root, work / "upstream")
        installed = replace(installed, behind=behind)
    installed.prepared()
    return installed


def _make_model(executables: Path, work: Path) -> Path:
    corpus = work / "corpus.txt"
    corpus.write_text("\n".join(SENTENCES) + "\n", encoding="utf-8")
    words = (executables / "python", SCRIPT, "--corpus", corpus, "--hub", work / "hf" / "hub")
    return Path(_run([str(word) for word in words], "the model could not be made").strip())


def _run(command: Sequence[str], trouble: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise Unavailable(f"{trouble}: {done.stderr.strip()[-500:]}")
    return done.stdout
