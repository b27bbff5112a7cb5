"""The benchmark beside other gateways runs, and measures every figure of ours. What it measures is not looked at here."""

import subprocess

from peers import built


def test_the_gateway_is_measured_beside_its_peers():
    words = [str(built("bench_gateway")), "--smoke", "--peers", "direct,portcullis,nginx"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr
    rows = [line.split("|")[1:3] for line in run.stdout.splitlines() if line.startswith("| ") and "| ours |" not in line]
    assert len(rows) == 16
    missing = [what.strip() for what, ours in rows if not ours.strip()]
    assert not missing, missing
