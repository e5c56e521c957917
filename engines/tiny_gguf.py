"""The tiny model as one GGUF file, for engines built on llama.cpp.

    python tiny_gguf.py --model FOLDER --into FILE

runs in the engine's environment (numpy, safetensors, gguf). Weights, vocabulary, merges and chat
template are those of ``FOLDER`` (see ``tiny_model.py``); only their order and names differ.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter, TokenType
from safetensors.numpy import load_file

#: Name in the model -> name in the file; ``blk.N.`` precedes those of a layer.
NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """The rows of a query or key matrix in the order of GGUF.

    The model rotates the first half of a head against its second half, GGUF's "llama" rotates
    neighbours: https://github.com/ggml-org/llama.cpp/blob/master/conversion/llama.py (``permute``).
    """
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(rows, columns)


def name_in_file(name: str) -> str:
    """``model.layers.1.mlp.up_proj.weight`` -> ``blk.1.ffn_up.weight``."""
    stem = name.removesuffix(".weight")
    if not stem.startswith("model.layers."):
        return f"{NAMES[stem]}.weight"
    layer, rest = stem.removeprefix("model.layers.").split(".", 1)
    return f"blk.{layer}.{NAMES[rest]}.weight"


def add_shape(writer: GGUFWriter, config: Mapping[str, Any]) -> None:
    """What the network looks like."""
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])


def add_tokens(
    writer: GGUFWriter, tokenizer: Mapping[str, Any], settings: Mapping[str, Any]
) -> None:
    """Vocabulary, merges, the ends of a turn and of a text, the chat template."""
    words = sorted(tokenizer["model"]["vocab"].items(), key=lambda each: each[1])
    special = {each["id"]: each["content"] for each in tokenizer["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([word for word, _ in words])
    writer.add_token_types(
        [TokenType.CONTROL if number in special else TokenType.NORMAL for _, number in words]
    )
    writer.add_token_merges(
        [each if isinstance(each, str) else " ".join(each) for each in tokenizer["model"]["merges"]]
    )
    ids = {content: number for number, content in special.items()}
    writer.add_eos_token_id(ids[settings["eos_token"]])
    writer.add_eot_token_id(ids[settings["eos_token"]])
    writer.add_pad_token_id(ids[settings["pad_token"]])
    writer.add_add_bos_token(False)
    writer.add_chat_template(settings["chat_template"])


def write(model: Path, into: Path) -> None:
    """Write the model of the folder ``model`` as the file ``into``."""

    def read(name: str) -> Any:
        return json.loads((model / name).read_text(encoding="utf-8"))

    config = read("config.json")
    writer = GGUFWriter(into, "llama")
    add_shape(writer, config)
    add_tokens(writer, read("tokenizer.json"), read("tokenizer_config.json"))
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    for name, weight in load_file(model / "model.safetensors").items():
        projection = name.split(".")[-2]
        if projection in heads:
            weight = interleaved(weight, heads[projection])
        writer.add_tensor(name_in_file(name), weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the tiny model as a GGUF file.")
    parser.add_argument("--model", type=Path, required=True, help="folder of the model's files")
    parser.add_argument("--into", type=Path, required=True, help="the file to write")
    given = parser.parse_args()
    write(given.model, given.into)
    sys.stdout.write(f"{given.into}\n")


if __name__ == "__main__":
    main()
