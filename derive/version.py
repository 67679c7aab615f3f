"""The version, where every room can read it: what is written down by one version may have to be made again by it."""

__version__ = "0.1.0"
