"""Makes the suite's plugin known in a checkout where the package is not installed."""

from typing import Any

pytest_plugins = ["conformance.plugin"]


def pytest_addoption(parser: Any, pluginmanager: Any) -> None:
    """Short names of options: plugins of a conftest are loaded too late to register them alone."""
    pluginmanager.get_plugin("conformance.plugin").register_short_names(parser)
