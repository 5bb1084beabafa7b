#!/usr/bin/env python3
"""A llama.cpp server on loopback, from the wheel `xllamacpp`: what the remote engine is tested with.

Usage: llama_server.py PORT GGUF [SLOTS]

It speaks the OpenAI protocol at http://127.0.0.1:PORT/v1, prints "listening on URL" once the model
is loaded, and runs until it is killed or its standard input is closed: a test that dies takes its
servers with it. PORT 0 takes a free one.
"""

import sys

import xllamacpp


def parameters(port: int, gguf: str, slots: int) -> "xllamacpp.CommonParams":
    params = xllamacpp.CommonParams()
    params.model.path = gguf
    params.hostnames = ["127.0.0.1"]
    params.port = port
    # A slot is a sequence that is answered at the same time as the others.
    params.n_parallel = slots
    params.n_ctx = 2048 * slots
    # One thread: a test shares its processor with others.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.warmup = False
    return params


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    slots = int(sys.argv[3]) if len(sys.argv) == 4 else 4
    server = xllamacpp.Server(parameters(int(sys.argv[1]), sys.argv[2], slots))
    print(f"listening on {server.listening_address}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
