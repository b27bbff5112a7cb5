"""Makes all vectors beside it anew, by the definition of each scheme, and holds them against the vendors' own libraries
(tests/peers/requirements.txt). One maker a kind: `make_KIND.py`."""

import runpy
from pathlib import Path

for maker in sorted(Path(__file__).parent.glob("make_*.py")):
    runpy.run_path(str(maker))
