"""The tracking database: what was found, asked, answered, written, and is still to do.

It is the second truth beside the photo files; the catalogue is derived from it. Every
function here takes a `Database` first and commits before it returns.
"""
