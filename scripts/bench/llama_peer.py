#!/usr/bin/env python3
"""llama.cpp as the peer of `sn1 bench engine --serve`, through the C API of `llama_cpp`.

Takes the same requests on standard input, one JSON object a line, and answers each with one line:
  {"measure": "prefill", "tokens": 48}                      tokens read in one batch
  {"measure": "decode", "sequences": 8, "context": 48, "steps": 24}
      sequences that each begin with `context` tokens and write `steps` more, greedily
Both answer {"tokens_per_s": …}; the very first line, sent unasked, says how it is built and set.
Between requests nothing runs: llama.cpp's threads sleep once a graph is done.

usage: llama_peer.py MODEL.gguf THREADS
"""

import json
import resource
import sys
import time

import llama_cpp
import numpy

# Never a control token of the models that are measured, and in every vocabulary.
FIRST_TOKEN = 1000


class Peer:
    def __init__(self, path, threads):
        self.silence = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self.silence, None)
        llama_cpp.llama_backend_init()
        began = time.perf_counter()
        parameters = llama_cpp.llama_model_default_params()
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), parameters)
        if not self.model:
            sys.exit(f"llama_peer.py: {path} cannot be loaded")
        self.load_s = time.perf_counter() - began
        self.threads = threads
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(
            llama_cpp.llama_model_get_vocab(self.model)
        )
        self.flash_attention = None

    def context(self, tokens, sequences):
        """All but sizes and threads as llama.cpp has it by default."""
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = tokens
        parameters.n_seq_max = sequences
        parameters.n_batch = max(parameters.n_batch, tokens)
        parameters.n_threads = self.threads
        parameters.n_threads_batch = self.threads
        self.flash_attention = getattr(parameters, "flash_attn_type", None)
        context = llama_cpp.llama_init_from_model(self.model, parameters)
        if not context:
            sys.exit("llama_peer.py: no context")
        return context

    def decode(self, context, rows):
        """Runs rows of (token, position, sequence, wants logits)."""
        batch = llama_cpp.llama_batch_init(len(rows), 0, 1)
        batch.n_tokens = len(rows)
        for at, (token, position, sequence, logits) in enumerate(rows):
            batch.token[at] = token
            batch.pos[at] = position
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = sequence
            batch.logits[at] = logits
        if llama_cpp.llama_decode(context, batch) != 0:
            sys.exit("llama_peer.py: a batch failed")
        llama_cpp.llama_synchronize(context)
        llama_cpp.llama_batch_free(batch)

    def likeliest(self, context, at):
        logits = llama_cpp.llama_get_logits_ith(context, at)
        return int(numpy.ctypeslib.as_array(logits, shape=(self.vocabulary,)).argmax())

    def read(self, context, sequence, tokens):
        prompt = [FIRST_TOKEN + (7 * at + 13 * sequence) % 40_000 for at in range(tokens)]
        self.decode(
            context,
            [(token, at, sequence, at + 1 == tokens) for at, token in enumerate(prompt)],
        )
        return self.likeliest(context, -1)

    def prefill(self, tokens):
        context = self.context(-(-tokens // 256) * 256, 1)
        began = time.perf_counter()
        self.read(context, 0, tokens)
        seconds = time.perf_counter() - began
        llama_cpp.llama_free(context)
        return tokens / seconds

    def write(self, sequences, length, steps):
        each = -(-(length + steps) // 256) * 256
        context = self.context(each * sequences, sequences)
        last = [self.read(context, sequence, length) for sequence in range(sequences)]
        began = time.perf_counter()
        for step in range(steps):
            rows = [(token, length + step, at, True) for at, token in enumerate(last)]
            self.decode(context, rows)
            last = [self.likeliest(context, at) for at in range(sequences)]
        seconds = time.perf_counter() - began
        llama_cpp.llama_free(context)
        return sequences * steps / seconds

    def answer(self, request):
        match request["measure"]:
            case "prefill":
                rate = self.prefill(request["tokens"])
            case "decode":
                rate = self.write(request["sequences"], request["context"], request["steps"])
            case other:
                return {"error": f"no measure {other!r}"}
        return {"tokens_per_s": rate, "peak_rss_mb": peak_rss_mb()}


def peak_rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().splitlines()[-1])
    base = peak_rss_mb()
    peer = Peer(sys.argv[1], int(sys.argv[2]))
    # Once, so that what llama.cpp sets up lazily is not in the first figure.
    peer.prefill(48)
    say(
        {
            "engine": "llama.cpp",
            "version": llama_cpp.__version__,
            "system": llama_cpp.llama_print_system_info().decode(),
            "flash_attention": {-1: "auto", 0: "off", 1: "on"}.get(peer.flash_attention, "?"),
            "threads": peer.threads,
            "load_s": peer.load_s,
            "peak_rss_mb": peak_rss_mb(),
            "base_rss_mb": base,
        }
    )
    for line in sys.stdin:
        say(peer.answer(json.loads(line)))


def say(value):
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
