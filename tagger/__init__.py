"""Image Tagger: a local-first photo tagger and explorer."""

__version__ = "0.1.0"
