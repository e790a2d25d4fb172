"""The catalogue: what screens, searches and exports read, derived from tracking.

DuckDB holds the rows and tantivy the words. Both can be deleted at any time; `intake`
makes them again from the tracking database.
"""
