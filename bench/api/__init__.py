"""The Python face: thin functions over the rooms below, without a rule of their own.

``import bench`` offers them lazily; ``docs/python.md`` shows each of them at work.
"""
