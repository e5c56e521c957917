"""What servers do wrong, by the place where it hurts; importing this fills the table."""

from . import framing, keys, lives, orders, silence, sizes, streams, strings, values

__all__ = ["framing", "keys", "lives", "orders", "silence", "sizes", "streams", "strings", "values"]
