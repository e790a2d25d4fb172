"""The query language: what a person types, read into a tree, and answered.

`tokens` cuts the text into pieces, `fields` and `values` say what may follow a colon,
`parser` makes the tree of `tree`. Nothing here knows the search index: `search` does.
docs/QUERY.md is the description for people; a test runs its examples.
"""

from tagger.catalogue.query.parser import parse

__all__ = ["parse"]
