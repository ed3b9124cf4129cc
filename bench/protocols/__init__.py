"""Protocols: they run one tracker along one sequence, and do not know where results are kept."""
