"""Learn from unlabelled seismic gathers, then pick the first breaks of whole surveys."""

from importlib.metadata import version

__version__ = version("seisray")
