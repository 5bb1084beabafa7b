#!/usr/bin/env python3
"""Writes tests/fixtures/engine/tiny-bert: a BERT encoder with random weights, and what transformers
makes of some texts with it, pooled by [CLS] as UAE-Large-V1 is and by the mean.

Needs torch, transformers, tokenizers. The same versions write the same bytes; others write other
random weights, with vectors that fit them.
"""

import json
import pathlib

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

FOLDER = pathlib.Path(__file__).parents[2] / "tests/fixtures/engine/tiny-bert"
MAX_TOKENS = 40
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "cat", "dog", "sat", "on", "mat", "and", "ran", ".", ","]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXTS = [
    "",
    "the cat sat on the mat.",
    "The DOG ran, and the cat ran.",
    "zebra",
    "unknown: 猫 und ähnliches",
    "and on " * 8,
    # Cut at 40 tokens.
    "the dog and the cat " * 30,
]


def tokenizer():
    vocabulary = SPECIAL + WORDS + list(LETTERS) + [f"##{letter}" for letter in LETTERS]
    ids = {token: i for i, token in enumerate(vocabulary)}
    made = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made, len(vocabulary)


def main():
    torch.manual_seed(7)
    made, size = tokenizer()
    # Odd sizes: heads of 12, no whole number of 16 anywhere.
    config = BertConfig(
        vocab_size=size,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=40,
        max_position_embeddings=64,
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("LayerNorm.weight"):
                parameter.uniform_(0.5, 1.5)
            else:
                parameter.normal_(0.0, 0.3)
    FOLDER.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(FOLDER)
    made.save(str(FOLDER / "tokenizer.json"))
    (FOLDER / "1_Pooling").mkdir(exist_ok=True)
    pooling = {"word_embedding_dimension": 24, "pooling_mode_cls_token": True}
    (FOLDER / "1_Pooling/config.json").write_text(json.dumps(pooling) + "\n")
    length = {"max_seq_length": MAX_TOKENS, "do_lower_case": False}
    (FOLDER / "sentence_bert_config.json").write_text(json.dumps(length) + "\n")

    made.enable_truncation(MAX_TOKENS)
    cases = []
    for text in TEXTS:
        ids = torch.tensor([made.encode(text).ids])
        with torch.no_grad():
            states = model(ids).last_hidden_state[0].double()
        unit = lambda vector: (vector / vector.norm()).tolist()
        rounded = lambda vector: [round(x, 8) for x in unit(vector)]
        cases.append({"text": text, "cls": rounded(states[0]), "mean": rounded(states.mean(0))})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (FOLDER / "expected.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
