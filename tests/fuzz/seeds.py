"""Writes seeds that are made of the providers' vectors, for the targets that have such: `python3 seeds.py TARGET FOLDER`."""

import base64
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / "killswitch" / "inbound" / "vectors"
CASES = HERE.parents[1] / "killswitch" / "inbound" / "tests" / "vectors" / "case.rs"


def files():
    """In the order in which the tests read them: the first two bytes of a seed count vectors in it."""
    for line in CASES.read_text().splitlines():
        if "include_str!" in line:
            yield VECTORS / line.split("/")[-1].split('"')[0]


def inbound():
    """Every request, as text."""
    number = 0
    for path in files():
        for vector in json.loads(path.read_text())["vectors"]:
            headers = vector.get("headers", {})
            headers = headers.items() if isinstance(headers, dict) else headers
            lines = [vector.get("method") or "POST", vector.get("query") or "", *(f"{name}: {value}" for name, value in headers), "", vector["body"]]
            yield f"{path.stem}-{number}", number.to_bytes(2, "little") + "\n".join(lines).encode()
            number += 1


def certificate():
    """The chain of SNS and its root, as files and each certificate by itself."""
    settings = json.loads((VECTORS / "sns.json").read_text())["settings"]
    chain, roots = settings["certificate_file"], settings["roots_file"]
    for what, pem in {"c": chain, "e": chain, "r": roots}.items():
        yield what, (what + pem).encode()
    for number, part in enumerate((chain + roots).split("-----BEGIN CERTIFICATE-----")[1:]):
        yield f"d-{number}", b"d" + base64.b64decode(part.split("-----")[0])


def main(target, folder):
    makers = {"inbound": inbound, "certificate": certificate}
    for name, seed in makers.get(target, list)():
        (folder / name).write_bytes(seed)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
