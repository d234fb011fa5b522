"""`assistant index` killed at random moments, over and over: `make bench`, or -k kills.

The number of kills is ASSISTANT_TEST_KILLS, 50 unless set.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[3] / "shared" / "benchmarks" / "xquad-en" / "corpus.jsonl"
KILLS = int(os.environ.pop("ASSISTANT_TEST_KILLS", "50"))  # the command knows no such setting


def assistant(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "assistant", *map(str, arguments)]


@pytest.mark.skipif(not BENCHMARK.exists(), reason="the shared benchmarks are not here")
@pytest.mark.timeout(3600)
def test_r01_index_killed_at_random_moments(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for line in BENCHMARK.read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        (source / f"{document['id']}.txt").write_text(document["text"], encoding="utf-8")
    names = sorted(path.name for path in source.iterdir())
    data = tmp_path / "data"
    started = time.monotonic()
    subprocess.run(assistant("index", source, "--data", data), check=True, capture_output=True)
    whole = time.monotonic() - started
    moments = random.Random(7)
    stages = []
    landed = 0
    for _ in range(KILLS):
        shutil.rmtree(data)
        process = subprocess.Popen(
            assistant("index", source, "--data", data),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        moment = moments.uniform(0, whole)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        landed += process.wait() == -signal.SIGKILL
        stages.append(round(moment / whole, 2))
        subprocess.run(assistant("index", source, "--data", data), check=True, capture_output=True)
        listed = subprocess.check_output(assistant("documents", "--json", "--data", data))
        assert sorted(Path(d["uri"]).name for d in json.loads(listed)) == names
        checked = subprocess.run(
            assistant("verify", "--json", "--data", data), capture_output=True, text=True
        )
        assert (checked.returncode, json.loads(checked.stdout)["problems"]) == (0, [])
    print(json.dumps({"kills": landed, "whole_s": round(whole, 1), "at": sorted(stages)}))
