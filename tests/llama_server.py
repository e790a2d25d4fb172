"""The real llama.cpp server (PyPI `xllamacpp`) with a model of random numbers.

`write_model` makes the smallest vision model llama.cpp takes: two GGUF files, 0.7 MB,
nothing of anyone else's inside. It talks nonsense, but in the JSON it is asked for,
which is what protocol tests need. `running` starts the server in a child process:

    with running(tmp_path) as url: ...

Run as a program, this file is that child: `python llama_server.py DIR`.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf
import numpy as np

MODEL = "tiny"
WIDTH, HEADS, LAYERS, INNER = 64, 4, 2, 128
EYE_WIDTH, EYE_INNER, EYE_SIDE_PX, PATCH_PX = 32, 64, 112, 14
CONTEXT = 8192


@contextmanager
def running(folder: Path, *, clumsy: bool = False) -> Iterator[str]:
    """The address of a server that runs until the block ends."""
    write_model(folder, clumsy=clumsy)
    command = [sys.executable, __file__, str(folder)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdin
        assert child.stdout
        try:
            for line in child.stdout:
                if line.startswith("READY "):
                    break
            else:
                raise RuntimeError("llama.cpp's server did not start")
            yield line.removeprefix("READY ").strip()
        finally:
            child.stdin.close()
            child.wait(20)


def write_model(folder: Path, *, clumsy: bool = False) -> None:
    """`tiny.gguf` (language) and `mmproj.gguf` (sight) into `folder`."""
    chance = np.random.default_rng(7)
    _write_language(folder / "tiny.gguf", chance, clumsy=clumsy)
    _write_sight(folder / "mmproj.gguf", chance)


def serve(folder: Path) -> None:
    """Serve `folder` on a free loopback port until standard input ends."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(folder / "tiny.gguf")
    params.mmproj.path = str(folder / "mmproj.gguf")
    params.mmproj_use_gpu = False
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = 1
    params.model_alias = {MODEL}
    params.warmup = False
    server = xllamacpp.Server(params)
    sys.stdout.write(f"READY {server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


def _random(chance: np.random.Generator, *shape: int, spread: float) -> Any:
    return (chance.standard_normal(shape) * spread).astype(np.float32)


def _vocabulary(*, clumsy: bool) -> tuple[list[str], list[int], Any]:
    """Tokens, their kinds, and how gladly the model says each.

    Letters come easily and the closing quote more so; whitespace and odd bytes hardly,
    unless `clumsy`: then bytes come that are no UTF-8, which the server chokes on.
    """
    letters = [chr(code) for code in range(33, 127)]
    tokens = ["<unk>", "<s>", "</s>"]
    tokens += [f"<0x{byte:02X}>" for byte in range(256)] + ["\u2581", *letters]
    kinds = [2, 3, 3] + [6] * 256 + [1] * 95
    liking = np.full(len(tokens), -4.0, np.float32)
    for token in map(chr, range(ord("a"), ord("z") + 1)):
        liking[tokens.index(token)] = 1.0
    liking[tokens.index('"')] = 1.1
    for token in "]}":
        liking[tokens.index(token)] = -1.0
    if clumsy:
        liking[tokens.index("<0x80>") :][:128] = 3.0
    return tokens, kinds, liking


def _write_language(path: Path, chance: np.random.Generator, *, clumsy: bool) -> None:
    tokens, kinds, liking = _vocabulary(clumsy=clumsy)
    w = gguf.GGUFWriter(str(path), "llama")
    w.add_name("random")
    w.add_context_length(CONTEXT)
    w.add_embedding_length(WIDTH)
    w.add_block_count(LAYERS)
    w.add_feed_forward_length(INNER)
    w.add_head_count(HEADS)
    w.add_head_count_kv(HEADS)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(WIDTH // HEADS)
    w.add_vocab_size(len(tokens))
    w.add_file_type(0)
    w.add_tokenizer_model("llama")
    w.add_token_list(tokens)
    w.add_token_scores([0.0] * len(tokens))
    w.add_token_types(kinds)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_unk_token_id(0)
    w.add_add_bos_token(True)
    w.add_chat_template(
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    )
    # Dimension 0 is large and the same for every token, so that column 0 of the
    # output works as a bias: it carries `liking`.
    embedding = _random(chance, len(tokens), WIDTH, spread=0.3)
    embedding[:, 0] = 8.0
    output = _random(chance, len(tokens), WIDTH, spread=0.3)
    output[:, 0] = liking
    w.add_tensor("token_embd.weight", embedding)
    w.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    w.add_tensor("output.weight", output)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            w.add_tensor(f"{block}{name}.weight", np.ones(WIDTH, np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weight = _random(chance, WIDTH, WIDTH, spread=0.05)
            w.add_tensor(f"{block}{name}.weight", weight)
        for name, shape in (
            ("ffn_gate", (INNER, WIDTH)),
            ("ffn_up", (INNER, WIDTH)),
            ("ffn_down", (WIDTH, INNER)),
        ):
            weight = _random(chance, *shape, spread=0.05)
            w.add_tensor(f"{block}{name}.weight", weight)
    _finish(w)


def _write_sight(path: Path, chance: np.random.Generator) -> None:
    w = gguf.GGUFWriter(str(path), "clip")
    w.add_type("mmproj")
    w.add_bool("clip.has_vision_encoder", True)
    w.add_string("clip.projector_type", "mlp")
    w.add_bool("clip.use_gelu", True)
    w.add_file_type(0)
    for name, value in (
        ("image_size", EYE_SIDE_PX),
        ("patch_size", PATCH_PX),
        ("embedding_length", EYE_WIDTH),
        ("feed_forward_length", EYE_INNER),
        ("projection_dim", WIDTH),
        ("block_count", LAYERS),
        ("attention.head_count", 2),
    ):
        w.add_uint32(f"clip.vision.{name}", value)
    w.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    w.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    w.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    places = (EYE_SIDE_PX // PATCH_PX) ** 2 + 1
    patch = _random(chance, EYE_WIDTH, 3, PATCH_PX, PATCH_PX, spread=0.02)
    w.add_tensor("v.patch_embd.weight", patch)
    w.add_tensor("v.class_embd", _random(chance, EYE_WIDTH, spread=0.02))
    position = _random(chance, places, EYE_WIDTH, spread=0.02)
    w.add_tensor("v.position_embd.weight", position)
    _norm(w, "v.pre_ln")
    for layer in range(LAYERS):
        block = f"v.blk.{layer}."
        _norm(w, f"{block}ln1")
        _norm(w, f"{block}ln2")
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            _linear(w, block + name, chance, EYE_WIDTH, EYE_WIDTH)
        _linear(w, f"{block}ffn_up", chance, EYE_INNER, EYE_WIDTH)
        _linear(w, f"{block}ffn_down", chance, EYE_WIDTH, EYE_INNER)
    _linear(w, "mm.0", chance, WIDTH, EYE_WIDTH)
    _linear(w, "mm.2", chance, WIDTH, WIDTH)
    _finish(w)


def _norm(w: Any, name: str) -> None:
    w.add_tensor(f"{name}.weight", np.ones(EYE_WIDTH, np.float32))
    w.add_tensor(f"{name}.bias", np.zeros(EYE_WIDTH, np.float32))


def _linear(
    w: Any, name: str, chance: np.random.Generator, rows: int, columns: int
) -> None:
    w.add_tensor(f"{name}.weight", _random(chance, rows, columns, spread=0.1))
    w.add_tensor(f"{name}.bias", np.zeros(rows, np.float32))


def _finish(w: Any) -> None:
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
