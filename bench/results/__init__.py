"""Raw results: stores, run records, import and export."""
