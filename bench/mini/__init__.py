"""The built-in miniature: generated video in each benchmark's own layout."""
