"""Real engines beside the reference: install one, give it a tiny model, judge it, stop it.

``python -m engines`` (or ``tox run -e engines``) does all of it. One TOML file in this folder is
one engine; nothing else here knows an engine by name.
"""
