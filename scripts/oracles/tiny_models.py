"""Writes tests/fixtures/engine: tiny Mistral and Llama models with seeded random weights, as GGUF
files and as transformers' folders, with what transformers and SentencePiece make of them.

    python3 -m venv /tmp/tiny && /tmp/tiny/bin/pip install torch transformers gguf sentencepiece \
        safetensors numpy
    /tmp/tiny/bin/python scripts/oracles/tiny_models.py

Logits: f32, eager attention, a prompt well beyond the sliding window; for quantised files from the
weights as the file's numbers dequantise. All numbers of weights fit bf16 (Mistral) or f16 (Llama),
so that files of 32 and of 16 bits hold the same model.
"""
import io
import json
import pathlib
import shutil

import gguf
import numpy as np
import sentencepiece
import torch
from gguf import GGMLQuantizationType as Q
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM
from transformers import LlamaTokenizer, PreTrainedTokenizerFast

ROOT = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/engine"
VOCABULARY, PROMPT = 384, 40
SIZES = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
             num_attention_heads=4, num_key_value_heads=2, head_dim=16, rms_norm_eps=1e-5,
             max_position_embeddings=64, bos_token_id=1, eos_token_id=2)

ZEPHYR = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>
'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""
INSTRUCT = """{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != \
(loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate \
user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}\
{{ '[INST] ' + message['content'].strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}\
{{ message['content'] + eos_token + ' ' }}{% else %}\
{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"""

CORPUS = """The heron stands in the shallow water and waits. It does not move, and the river does.
When a fish comes near, the neck of the heron uncoils, and the water closes over the place.
"Where is the station?" she asked. "Down the road, past the mill," he said, "about 12 minutes."
In 1871 there were 3 mills on this river; in 1950 there was one, and today there is none.
def add(first, second):
    return first + second
Le héron se tient dans l'eau et attend. Über den Fluß führt eine Brücke aus Stein.
What is the capital of France? The capital of France is Paris, which lies on the Seine.
"""

TEXTS = [
    "", " ", "  ", "   \n", "\n", "\n\n", "\t", "a", " a", "a ", "  a  b   c    d",
    "The heron stands in the water.", "the heron", "THE HERON", "What is 12 + 345678?", "3.14159",
    "Über den Fluß", "cafe\u0301", "naïve façade — “quotes” … ‘single’", "日本語のテキスト", "Привет, мир",
    "שלום עולם", "مرحبا بالعالم", "😀", "a😀b👩‍👩‍👧‍👦c🇫🇷", "\u200bzero\u200bwidth", "\ufeffmark", "nul\x00nul",
    "\u00a0no-break\u3000wide", "▁", "▁▁a▁ b", " ▁ ", "<s>", "</s>", "a</s>b", "<unk>", "<s></s><unk>",
    "<0x41>", "<0x0A>", "<|user|>\nhi", "[INST] x [/INST]", "def f():\n    return 1\n", "a" * 100,
    "\r\nwindows\r\n", "\x01\x02\x7f", "\U0010ffff\U000f0000", "ab\u0308\u0304c", "…", "ﬁ ﬂ Å Ⅷ ½",
]

CHATS = [
    [("user", "What is the capital of France?")],
    [("system", "You are terse."), ("user", "Where is the heron?")],
    [("user", "One"), ("assistant", "Two"), ("user", "Three\n\nand four")],
    [("system", "  spaced  "), ("user", " leading"), ("assistant", "trailing "), ("user", "\n")],
    [("user", "😀 Über"), ("assistant", ""), ("user", "{{ eos_token }} {% if %}")],
    [("user", "a"), ("user", "b")],
    [("assistant", "first")],
]


def train_pieces():
    """A SentencePiece model as Mistral's is set: BPE, bytes, digits apart, spaces kept."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.splitlines() * 4), model_writer=model, model_type="bpe",
        vocab_size=VOCABULARY, byte_fallback=True, split_digits=True, num_threads=1,
        normalization_rule_name="identity", remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True, character_coverage=0.995, minloglevel=2)
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()), model.getvalue()


def merges_of(pieces):
    """As transformers derives them: a piece's ways of falling into two others, in order of score."""
    normal = [i for i in range(pieces.get_piece_size()) if not (
        pieces.is_control(i) or pieces.is_unknown(i) or pieces.is_byte(i))]
    rank = {pieces.id_to_piece(i): i for i in normal}
    merges = []
    for piece, number in rank.items():
        ways = [(piece[:i], piece[i:]) for i in range(1, len(piece))]
        ways = [(a, b) for a, b in ways if a in rank and b in rank]
        merges += [(number, rank[a], rank[b], a, b) for a, b in ways]
    return [(a, b) for *_, a, b in sorted(merges)]


def legacy_tokenizer(pieces):
    """A tokenizer.json as zephyr-7b-beta's: spaces by a normalizer, before every piece of text."""
    vocabulary = {pieces.id_to_piece(i): i for i in range(pieces.get_piece_size())}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges_of(pieces), fuse_unk=True,
                                     byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(
        [AddedToken(name, normalized=False, special=True) for name in ("<unk>", "<s>", "</s>")])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>",
                                   eos_token="</s>", clean_up_tokenization_spaces=False)


def newer_tokenizer(pieces):
    """The one that transformers 5 builds itself: spaces by a pre-tokenizer, before the first only."""
    vocabulary = {pieces.id_to_piece(i): i for i in range(pieces.get_piece_size())}
    return LlamaTokenizer(vocab=vocabulary, merges=merges_of(pieces))


def build(kind, seed):
    torch.manual_seed(seed)
    if kind == "mistral":
        config = MistralConfig(**SIZES, sliding_window=8, tie_word_embeddings=False,
                               rope_parameters={"rope_type": "default", "rope_theta": 5000.0})
        model, dtype = MistralForCausalLM._from_config(config, attn_implementation="eager"), torch.bfloat16
    else:
        config = LlamaConfig(**SIZES, tie_word_embeddings=True,
                             rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
        model, dtype = LlamaForCausalLM._from_config(config, attn_implementation="eager"), torch.float16
    with torch.no_grad():
        for name, weight in model.named_parameters():
            numbers = torch.randn(weight.shape) * (0.2 if "norm" in name else 0.25)
            weight.copy_((numbers + ("norm" in name)).to(dtype).float())
    return model.float().eval()


def logits(model, tokens):
    with torch.no_grad():
        out = model(torch.tensor([tokens])).logits[0].float().numpy()
    number = lambda x: float(f"{x:.7g}")
    return {"every_16th": [[number(x) for x in row[::16]] for row in out],
            "last": [number(x) for x in out[-1]]}


def gguf_names(state, layers):
    inner = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
             "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
             "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
             "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
    names = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
             "lm_head.weight": "output.weight"}
    for layer in range(layers):
        for ours, theirs in inner.items():
            names[f"model.layers.{layer}.{ours}.weight"] = f"blk.{layer}.{theirs}.weight"
    return {name: names[name] for name in state}


def interleaved(weight, heads):
    """llama.cpp's order of the rows of queries and keys."""
    return weight.reshape(heads, 2, -1, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def halves(weight, heads):
    return weight.reshape(heads, -1, 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(path, model, pieces, kind):
    """Returns the model of the numbers that the file holds."""
    config, state = model.config, model.state_dict()
    if config.tie_word_embeddings:
        del state["lm_head.weight"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if getattr(config, "sliding_window", None):
        writer.add_sliding_window(config.sliding_window)
    size = pieces.get_piece_size()
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([pieces.id_to_piece(i) for i in range(size)])
    writer.add_token_scores([pieces.get_score(i) for i in range(size)])
    writer.add_token_types([2 if pieces.is_unknown(i) else 3 if pieces.is_control(i)
                            else 6 if pieces.is_byte(i) else 1 for i in range(size)])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_chat_template(ZEPHYR)
    read_back = {}
    for name, theirs in gguf_names(state, config.num_hidden_layers).items():
        weight = state[name].numpy()
        heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
        heads = next((n for part, n in heads.items() if part in name), None)
        weight = interleaved(weight, heads) if heads else weight
        if kind != Q.F32 and weight.ndim == 2:
            packed = gguf.quants.quantize(weight, kind)
            writer.add_tensor(theirs, packed, raw_dtype=kind)
            weight = gguf.quants.dequantize(packed, kind)
        else:
            writer.add_tensor(theirs, weight)
        weight = halves(weight, heads) if heads else weight
        read_back[name] = torch.tensor(np.ascontiguousarray(weight))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model.load_state_dict(read_back, strict=False)
    return model


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


def write_settings(folder, tokenizer, template):
    """As older versions of transformers wrote them, which is what zephyr's folder looks like."""
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {"bos_token": "<s>", "eos_token": {"__type": "AddedToken", "content": "</s>"},
                "unk_token": "<unk>", "add_bos_token": True}
    if template:
        settings["chat_template"] = template
    write_json(folder / "tokenizer_config.json", settings)


def folders(mistral, llama, pieces):
    state = {name: weight.contiguous() for name, weight in mistral.state_dict().items()}
    whole = ROOT / "tiny-mistral"
    whole.mkdir()
    save_file(state, whole / "model.safetensors", metadata={"format": "pt"})
    older = dict(SIZES, model_type="mistral", architectures=["MistralForCausalLM"], hidden_act="silu",
                 rope_theta=5000.0, sliding_window=8, tie_word_embeddings=False, torch_dtype="float32")
    write_json(whole / "config.json", older)
    write_json(whole / "generation_config.json", {"eos_token_id": 2})
    write_settings(whole, legacy_tokenizer(pieces), ZEPHYR)

    sharded = ROOT / "tiny-mistral-sharded"
    sharded.mkdir()
    half = {name: weight.to(torch.bfloat16) for name, weight in state.items()}
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    shard = lambda name: names["layers.1" in name or name == "lm_head.weight"]
    for file in names:
        save_file({n: w for n, w in half.items() if shard(n) == file}, sharded / file)
    write_json(sharded / "model.safetensors.index.json",
               {"metadata": {"total_size": sum(2 * w.numel() for w in half.values())},
                "weight_map": {n: shard(n) for n in half}})
    mistral.config.save_pretrained(sharded)
    write_json(sharded / "generation_config.json", {"eos_token_id": [2, 5]})
    write_settings(sharded, newer_tokenizer(pieces), None)
    (sharded / "chat_template.jinja").write_text(ZEPHYR)

    tied = ROOT / "tiny-llama"
    tied.mkdir()
    state = {n: w.to(torch.float16).contiguous() for n, w in llama.state_dict().items()
             if n != "lm_head.weight"}
    save_file(state, tied / "model.safetensors")
    llama.config.save_pretrained(tied)


def tokenizer_cases(pieces):
    legacy, newer = legacy_tokenizer(pieces), newer_tokenizer(pieces)
    cases = []
    for text in TEXTS:
        # Names of control tokens are text to us everywhere, as they are to SentencePiece.
        named = any(name in text for name in ("<s>", "</s>", "<unk>"))
        ids = pieces.encode(text)
        case = {"text": text, "pieces": ids, "decoded": pieces.decode(ids),
                "as_content": pieces.encode("<|user|>\n" + text)}
        if not named:
            case["legacy"] = legacy.encode(text, add_special_tokens=False)
            case["newer"] = newer.encode(text, add_special_tokens=False)
        cases.append(case)
    return cases


def chat_cases(pieces):
    tokenizers = {"legacy": legacy_tokenizer(pieces), "newer": newer_tokenizer(pieces)}
    cases = []
    for chat in CHATS:
        messages = [{"role": role, "content": content} for role, content in chat]
        case = {"messages": messages}
        for name, template in (("zephyr", ZEPHYR), ("instruct", INSTRUCT)):
            outcome = {}
            for kind, tokenizer in tokenizers.items():
                arguments = dict(chat_template=template, add_generation_prompt=True)
                try:
                    outcome["text"] = tokenizer.apply_chat_template(messages, tokenize=False, **arguments)
                    ids = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, **arguments)
                    assert ids == tokenizer.encode(outcome["text"], add_special_tokens=False)
                    outcome[kind] = ids
                except Exception as error:
                    outcome = {"error": str(error)}
            case[name] = outcome
        cases.append(case)
    return {"templates": {"zephyr": ZEPHYR, "instruct": INSTRUCT}, "cases": cases}


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    pieces, _ = train_pieces()
    generator = np.random.default_rng(7)
    tokens = [1] + [int(t) for t in generator.integers(3, VOCABULARY, PROMPT - 1)]
    mistral, llama = build("mistral", 1), build("llama", 2)
    folders(mistral, llama, pieces)
    expected = {"tiny-mistral": logits(mistral, tokens), "tiny-llama": logits(llama, tokens)}
    for name, model, kind in (("tiny-mistral.f32.gguf", mistral, Q.F32),
                              ("tiny-mistral.q8_0.gguf", build("mistral", 1), Q.Q8_0),
                              ("tiny-mistral.q4_0.gguf", build("mistral", 1), Q.Q4_0),
                              ("tiny-llama.q8_0.gguf", llama, Q.Q8_0)):
        model = write_gguf(ROOT / name, model, pieces, kind)
        if kind != Q.F32:
            expected[name] = logits(model, tokens)
    write_json(ROOT / "logits.json", {"tokens": tokens, "models": expected})
    write_json(ROOT / "tokenizer_cases.json", tokenizer_cases(pieces))
    write_json(ROOT / "chat_cases.json", chat_cases(pieces))


main()
