# Ollama for compose.yaml: the official image, with a folder for models that belongs to
# the user it runs as, so that it need not be root.

FROM ollama/ollama

ARG UID=10001
ARG GID=10001
RUN install -d -o "$UID" -g "$GID" -m 0700 /models
ENV HOME=/models OLLAMA_MODELS=/models
USER $UID:$GID
VOLUME /models
