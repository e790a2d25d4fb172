"""Image Tagger: a local-first photo tagger and explorer."""

import os

__version__ = "0.1.0"

# onnxruntime reports its use over the network unless it is told not to before it is
# loaded. Nothing of what this program does leaves the machine unasked.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# So that all memory of a process is of one kind; `web/memory.py` says why. pyarrow
# looks at it when it is loaded.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
