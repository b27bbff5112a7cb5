"""What all makers of vectors share: the one instant, the texts, the form of a file.

A file is an object: `kind`; `fresh`, the seconds a signed time may be off, or null where none is signed; `not_signed`, what
the scheme leaves open (`body`, `query`, `url`, `port`), and `settings`, both of which a single vector may add to; `one_of`, where one
good value among several in a header is enough; `loose` in a vector, parts of its body that the scheme neither signs nor has
read, so that a change there changes nothing; and `vectors`. What is not listed there, the harness changes, and it must be refused.
`expect` is the text, a word of refusal, `"nothing"` or `{"confirm": url}`.
"""

import json
from pathlib import Path

HERE = Path(__file__).parent
NOW = 1_795_248_127
HOST = "https://kill.example.net"


def write(kind, vectors, fresh=None, **scheme):
    lines = ",\n".join("    " + json.dumps(vector, ensure_ascii=False) for vector in vectors)
    head = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in dict(kind=kind, fresh=fresh, **scheme).items())
    (HERE / f"{kind.replace('-', '_')}.json").write_text(f'{{\n{head}  "vectors": [\n{lines}\n  ]\n}}\n')


def text(said="KILL 12345678", sender="+4915112345678", id="SM0123456789abcdef0123456789abcdef"):
    return {"id": id, "sender": sender, "text": said}
