"""The benchmarks run and measure every figure of ours. What they measure is not looked at here."""

import json
import subprocess

from peers import built


def test_the_gateway_is_measured_beside_its_peers():
    words = [str(built("bench_gateway")), "--smoke", "--peers", "direct,portcullis,nginx"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr
    rows = [line.split("|")[1:3] for line in run.stdout.splitlines() if line.startswith("| ") and "| ours |" not in line]
    assert len(rows) == 18
    missing = [what.strip() for what, ours in rows if not ours.strip()]
    assert not missing, missing


def test_hosts_join_report_and_are_looked_at_while_one_of_them_floods():
    # A report each second would, on a slow machine, come within the pause that follows the one before.
    words = [str(built("bench_hosts")), "--json", "--hosts", "40", "--seconds", "6", "--every", "2", "--pages", "20", "--hostile", "100"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    figures = {row["what"]: row["figure"] for row in told["figures"]}
    # A figure that was not measured is no number.
    missing = [what for what, figure in figures.items() if figure is None]
    assert not missing, missing
    assert figures["reports of other hosts that were not taken"] == 0
    assert told["reports"] >= 100
    assert told["flood"]["sent"] > 0 and told["flood"]["judged"] > 0 and told["flood"]["turned_away"] > 0, told["flood"]


def test_every_page_of_a_house_that_has_run_for_a_year_is_measured():
    words = [str(built("bench_dash")), "--json", "--hosts", "30", "--usage", "3000", "--incidents", "60", "--rounds", "3"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert len(told["figures"]) >= 30
    missing = [row["what"] for row in told["figures"] if row["p95_ms"] is None or row["kb"] <= 0]
    assert not missing, missing
    # A weight does not depend on how busy the machine is.
    heavy = {row["what"]: row["whole_kb"] for row in told["figures"] if (row["whole_kb"] or 0) > told["aims"]["whole_kb"]}
    assert not heavy, heavy
