"""Words in photos: read exactly, merged with the person's, written without harm."""

from tagger.pipeline.metadata.exiftool import Exiftool
from tagger.pipeline.metadata.writing import Writer

__all__ = ["Exiftool", "Writer"]
