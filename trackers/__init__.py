"""Plug-in trackers, found by name through the entry points of setup.cfg."""
