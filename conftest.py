"""Makes the suite's plugin known in a checkout where the package is not installed."""

pytest_plugins = ["conformance.plugin"]
