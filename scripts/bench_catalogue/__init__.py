"""The catalogue's bench: a million made-up photos, and how long questions take.

`make bench-catalogue` runs it by hand; it is no part of the program.
"""
