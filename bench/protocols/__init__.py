"""Protocols: drive one tracker along one sequence. They do not know where results are stored."""
