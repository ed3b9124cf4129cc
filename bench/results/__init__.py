"""Raw results on disk: reading and writing, in our own layout and the community's."""
