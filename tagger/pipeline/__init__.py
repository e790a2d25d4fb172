"""The tagger process: discover, look, ask, write, record."""
