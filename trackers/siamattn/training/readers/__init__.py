"""Training sets in their official layouts, one file each; every one is a ``sources.Source``."""
