"""A search of a tracker's options by their scores (``bench tune``), on data that is no test."""
