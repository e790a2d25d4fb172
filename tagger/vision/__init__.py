"""Ask a model what a picture shows: servers over HTTP, or the built-in one."""
