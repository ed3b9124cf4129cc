"""The version of the toolkit, as run records and pages state it."""

__version__ = "0.1.0"
