"""Training sets in their official layouts, one file each; each is a ``sources.Source``."""
