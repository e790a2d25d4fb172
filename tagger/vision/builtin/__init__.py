"""The tagger that needs no model server: onnxruntime and two small models."""

from tagger.vision.builtin.backend import Builtin

__all__ = ["Builtin"]
