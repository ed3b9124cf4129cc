"""The ``bench`` command: one module a verb, thin, with lazy imports."""
