"""An engine on this machine: what its files and its environment hold, and the one behind it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engines.definition import Engine
from engines.environment import Unavailable, environment_folder
from engines.installation import Installed
from engines.supervisor import health

SERVER = Path(__file__).with_name("dying_server.py")


def engine(name: str = "new", **members: object) -> Engine:
    command = (sys.executable, str(SERVER), "{port}")
    settings = {"command": command, "health": "/", "requirements": ("a==1",), **members}
    return Engine(name=name, **settings)  # type: ignore[arg-type]


def installed(folder: Path, made: Engine, behind: Installed | None = None) -> Installed:
    folder.mkdir(exist_ok=True)
    return Installed(made, Path(sys.executable).parent, folder, folder, behind=behind)


def test_files_are_written_with_their_words_replaced(tmp_path: Path) -> None:
    """A file of the engine holds its port, the key of the run, and where the engine behind is."""
    behind = installed(tmp_path / "behind", engine())
    text = "{port} {key} {upstream} {upstream_key}"
    front = installed(tmp_path / "front", engine(files={"settings": text}), behind)

    front.prepared()

    written = (tmp_path / "front" / "settings").read_text(encoding="utf-8").split()
    assert [str(front.port), front.key, behind.base_url, behind.key] == written
    assert front.key != behind.key


def test_a_preparation_runs_before_the_start(tmp_path: Path) -> None:
    """The command lines of `prepare` run in order with the engine's variables."""
    script = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(os.environ['WORD'])"
    line = (sys.executable, "-c", script, "{work}/made")
    made = installed(tmp_path, engine(prepare=(line,), environment={"WORD": "port {port}"}))

    made.prepared()

    assert f"port {made.port}" == (tmp_path / "made").read_text(encoding="utf-8")


def test_a_preparation_that_fails_is_the_reason_why_the_engine_is_not_judged(
    tmp_path: Path,
) -> None:
    """What the preparation said at its end is the reason."""
    line = (sys.executable, "-c", "raise SystemExit('no space left')", "{work}/made")

    with pytest.raises(Unavailable, match="made could not be made: no space left"):
        installed(tmp_path, engine(prepare=(line,))).prepared()


def test_no_key_of_ours_reaches_an_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An engine's environment has neither keys nor tokens of the person who runs it."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HF_TOKEN", "hf-secret")

    environment = installed(tmp_path, engine()).environment

    assert not {"OPENAI_API_KEY", "HF_TOKEN"} & set(environment)


def test_the_engine_behind_is_up_as_long_as_the_one_in_front(tmp_path: Path) -> None:
    """Both answer inside the context, neither after it."""
    behind = installed(tmp_path / "behind", engine())
    front = installed(tmp_path / "front", engine(), behind)

    with front.running() as supervisors:
        inside = [health(each.port, "/") for each in supervisors]

    assert [200, 200] == inside
    assert [front.port, behind.port] == [each.port for each in supervisors]
    assert [None, None] == [health(each.port, "/") for each in supervisors]


def test_engines_with_the_same_pins_share_an_environment(tmp_path: Path) -> None:
    """The folder follows from the pins alone, those of a constraints file included."""
    (tmp_path / "pins.txt").write_text("b==1", encoding="utf-8")

    def folder(**members: object) -> Path:
        return environment_folder(engine(**members), tmp_path, tmp_path)  # type: ignore[arg-type]

    before = folder(constraints="pins.txt")
    (tmp_path / "pins.txt").write_text("b==2", encoding="utf-8")

    assert folder(name="one") == folder(name="two")
    assert 4 == len({folder(), folder(alone=("c==1",)), before, folder(constraints="pins.txt")})
