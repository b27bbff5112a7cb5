"""Writes the providers' vectors as seeds of the target `inbound`: `python3 seeds.py FOLDER`."""

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


def main(folder):
    number = 0
    for path in files():
        for vector in json.loads(path.read_text())["vectors"]:
            headers = vector.get("headers", {})
            headers = headers.items() if isinstance(headers, dict) else headers
            lines = [vector.get("method") or "POST", vector.get("query") or "", *(f"{name}: {value}" for name, value in headers), "", vector["body"]]
            (folder / f"{path.stem}-{number}").write_bytes(number.to_bytes(2, "little") + "\n".join(lines).encode())
            number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
