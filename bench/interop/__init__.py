"""Our trackers under other people's toolkits: over TraX, and inside vot-toolkit."""
