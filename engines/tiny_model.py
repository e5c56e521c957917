"""A language model of a few hundred kilobytes, made on the spot: no download, no training run.

    python tiny_model.py --corpus TEXT --hub FOLDER [--seed N]

runs in the engine's environment (numpy, safetensors, tokenizers) and lays the model into FOLDER as
the Hugging Face hub cache would: ``models--conformance--tiny-llama/snapshots/<revision>/``. Engines
then know it as ``conformance/tiny-llama``, an id with a slash like those of real models. Prints the
folder of the files.

The model is a Llama of two layers with random weights. Its text is meaningless, its *mechanics* are
those of a large one: subword tokens, characters that span several tokens, a chat template, an
end-of-sequence token that does come. What a conformance suite asks is about the mechanics.

Pure noise would write mostly stray bytes, hence one deliberate part: channel 0 of the residual
stream is constant, so that column 0 of the output matrix acts as a bias per token. It holds the
logarithm of how often the corpus uses the token.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

MODEL_ID = "conformance/tiny-llama"
VOCABULARY = 1024
HIDDEN, INTERMEDIATE, LAYERS, HEADS, KV_HEADS = 64, 160, 2, 2, 1
HEAD = HIDDEN // HEADS
CONTEXT = 4096
END_OF_TEXT, TURN, END_OF_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
#: How often a turn ends, among as many tokens of text.
ENDING = 1 / 40

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": INTERMEDIATE,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "head_dim": HEAD,
    "hidden_act": "silu",
    "max_position_embeddings": CONTEXT,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "attention_bias": False,
    "mlp_bias": False,
    "torch_dtype": "float32",
    "use_cache": True,
}


def train_tokenizer(lines: Sequence[str]) -> Tokenizer:
    """A byte-level BPE of ``VOCABULARY`` tokens: any text can be written, and read back."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=1,
        show_progress=False,
        special_tokens=[END_OF_TEXT, TURN, END_OF_TURN],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator(lines, trainer)
    if tokenizer.get_vocab_size() != VOCABULARY:
        raise SystemExit(f"the corpus gives {tokenizer.get_vocab_size()} tokens, not {VOCABULARY}")
    return tokenizer


def token_bias(tokenizer: Tokenizer, lines: Iterable[str]) -> np.ndarray:
    """The logarithm of each token's frequency; unseen ones count as a tenth of a token."""
    counts = np.full(VOCABULARY, 0.1)
    for encoding in tokenizer.encode_batch(list(lines)):
        for token in encoding.ids:
            counts[token] += 1
    counts[tokenizer.token_to_id(END_OF_TURN)] = counts.sum() * ENDING
    bias: np.ndarray = np.log(counts) - math.log(float(counts.mean()))
    return bias


def draw_weights(bias: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Random weights; the residual stream starts and stays of the order of 1."""
    rng = np.random.default_rng(seed)

    def normal(rows: int, columns: int, scale: float) -> np.ndarray:
        return rng.normal(0.0, scale, (rows, columns)).astype(np.float32)

    embedding = normal(VOCABULARY, HIDDEN, 1.0)
    embedding[:, 0] = 2.0
    output = normal(VOCABULARY, HIDDEN, 2.0 / math.sqrt(HIDDEN))
    output[:, 0] = bias / 2.0
    weights = {"model.embed_tokens.weight": embedding, "lm_head.weight": output}
    ones = np.ones(HIDDEN, dtype=np.float32)
    narrow, wide = 1 / math.sqrt(HIDDEN), 1 / math.sqrt(INTERMEDIATE)
    for layer in range(LAYERS):
        block = {
            "self_attn.q_proj": normal(HEADS * HEAD, HIDDEN, narrow),
            "self_attn.k_proj": normal(KV_HEADS * HEAD, HIDDEN, narrow),
            "self_attn.v_proj": normal(KV_HEADS * HEAD, HIDDEN, narrow),
            "self_attn.o_proj": normal(HIDDEN, HEADS * HEAD, narrow),
            "mlp.gate_proj": normal(INTERMEDIATE, HIDDEN, narrow),
            "mlp.up_proj": normal(INTERMEDIATE, HIDDEN, narrow),
            "mlp.down_proj": normal(HIDDEN, INTERMEDIATE, wide),
            "input_layernorm": ones,
            "post_attention_layernorm": ones,
        }
        block["self_attn.o_proj"][0] = 0.0  # nothing writes to the constant channel
        block["mlp.down_proj"][0] = 0.0
        for name, value in block.items():
            weights[f"model.layers.{layer}.{name}.weight"] = value
    weights["model.norm.weight"] = ones
    return weights


def model_files(lines: Sequence[str], seed: int) -> dict[str, bytes]:
    """Name -> content of every file of the model. The same for the same corpus and seed."""
    tokenizer = train_tokenizer(lines)
    weights = draw_weights(token_bias(tokenizer, lines), seed)
    ends = [tokenizer.token_to_id(END_OF_TURN), tokenizer.token_to_id(END_OF_TEXT)]
    ids = {"eos_token_id": ends, "pad_token_id": ends[1], "bos_token_id": None}
    total = sum(value.nbytes for value in weights.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict.fromkeys(weights, WEIGHTS)}
    return {
        "config.json": _json({**CONFIG, **ids, "vocab_size": VOCABULARY}),
        "generation_config.json": _json({**ids, "do_sample": True}),
        "tokenizer_config.json": _json(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "eos_token": END_OF_TURN,
                "pad_token": END_OF_TEXT,
                "model_max_length": CONTEXT,
                "clean_up_tokenization_spaces": False,
                "chat_template": CHAT_TEMPLATE,
            }
        ),
        "tokenizer.json": tokenizer.to_str(pretty=False).encode(),
        WEIGHTS: save(weights, metadata={"format": "pt"}),
        # Some engines list a cached model only when its weights come with an index.
        f"{WEIGHTS}.index.json": _json(index),
    }


WEIGHTS = "model.safetensors"


def lay_into_cache(files: dict[str, bytes], hub: Path) -> Path:
    """Write ``files`` in the layout of the hub cache; the revision is their digest."""
    digest = hashlib.blake2b(digest_size=20)
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + files[name])
    revision = digest.hexdigest()
    model = hub / f"models--{MODEL_ID.replace('/', '--')}"
    folder = model / "snapshots" / revision
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (model / "refs").mkdir(exist_ok=True)
    (model / "refs" / "main").write_text(revision, encoding="ascii")
    return folder


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a tiny random-weight Llama.")
    parser.add_argument("--corpus", type=Path, required=True, help="text, one sentence a line")
    parser.add_argument("--hub", type=Path, required=True, help="hub cache folder to write into")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    lines = given.corpus.read_text(encoding="utf-8").splitlines()
    folder = lay_into_cache(model_files(lines, given.seed), given.hub)
    sys.stdout.write(f"{folder}\n")


if __name__ == "__main__":
    main()
