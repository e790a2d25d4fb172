"""The API's bench: fifty people at one app while the tagger works.

`make bench-api` runs it by hand; it is no part of the program.
"""
