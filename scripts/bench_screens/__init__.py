"""The screens' bench: a hundred thousand made-up photos in a real browser.

`make bench-screens` runs it by hand; it is no part of the program.
"""
