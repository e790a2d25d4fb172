"""Pixels: opening photos safely, shrinking them once, knowing them again.

The only room that imports Pillow and pillow-heif. Whatever a file holds, what leaves
this room is a picture or an `UnreadableImage` whose reason a person understands.
"""
