"""Trackers that live in a repository of their own: lib/test, pytracking and PySOT."""
