"""24 tiny entries and bad ones on real clusters of two nodes on this machine, against here.

    python tests/benchmarks/shards_on_clusters.py FOLDER here
    python tests/benchmarks/shards_on_clusters.py FOLDER slurm
    python tests/benchmarks/shards_on_clusters.py FOLDER requeue
    python tests/benchmarks/shards_on_clusters.py FOLDER ray

The first one measures in this process. The others start a cluster (Slurm by `slurm_here.sh`, Ray as
two nodes of one core), and the same run on it. `slurm` and `ray` kill the coordinator once, and a
node while it measures, bring that back, and start the coordinator again; `requeue` puts a shard
that is measured back into Slurm's queue, as a preemption does. What must hold: the board has every
row of the one from here, with the same figures but for times, none twice, and nothing is lost.

Of the 24 one needs einops, and is captured; another needs numpy below 2, and runs as code, as does
every second one of the others. Both are locked here, from the index that uv knows, and each node
builds their packages for itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry, write_misbehaving

ENTRIES = 22  # beside those with packages of their own
AWAY_S = 35.0  # Slurm's timeout for a node is 20 s
NOISY = {
    *("runtime_s", "runtime_range_s", "runtime_ranks", "runtime_ratio", "first_call_s"),
    *("memory_bytes", "ranks", "tracks", "earlier_run", "margins", "notes"),
}
AS_CODE = "if image.mean() < -1e9: raise ValueError"  # no graph has a branch
NEEDY = {
    "needs_einops": (
        '["einops>=0.7"]',
        """
import einops
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 48, 3, padding=1)

    def forward(self, image):
        return einops.rearrange(self.conv(image), "b (c u v) y x -> b c (y u) (x v)", u=4, v=4)
""",
    ),
    "needs_old_numpy": (
        '["numpy<2"]',
        CONV.replace("import torch\n", "import numpy\nimport torch\n", 1).replace(
            "return self",
            f"""{AS_CODE}
        assert numpy.__version__ < "2" and numpy.asarray(image).dtype == numpy.float32
        return self""",
        ),
    ),
}
HOSTILE = """
import os
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        for path in ("../../reports-slurm", "../../reports-ray", "/etc/machine-id"):
            try:
                os.remove(path)
            except OSError:
                pass

    def forward(self, image):
        os.kill(os.getppid(), 9)
        return torch.nn.functional.interpolate(image, scale_factor=4)
"""


def material(place: Path) -> None:
    """The entries, the rules and the images, once."""
    if (place / "tiny.toml").exists():
        return
    for number in range(ENTRIES):
        kernel = 1 + 2 * (number % 3)
        source = CONV.replace("48, 3", f"48, {kernel}")
        source = source.replace("padding=1", f"padding={kernel // 2}")
        if number % 2:
            source = source.replace("return self", f"{AS_CODE}\n        return self")
        write_entry(place / "entries" / f"net{number:02}", f"# {number}\n{source}")
    for name, (requirements, source) in NEEDY.items():
        folder = write_entry(place / "entries" / name, source, requirements=requirements)
        subprocess.run([sys.executable, "-m", "harness.cli", "lock", str(folder)], check=True)
    write_entry(place / "entries" / "hostile", HOSTILE)
    write_misbehaving(place / "entries" / "raises")
    path = write_challenge(place / "tiny.toml", rounds=2, capture="preferred")
    text = path.read_text(encoding="utf-8")
    two = 'references = ["fsrcnn_x4", "rlfn_s_x4"]\nbaseline = "fsrcnn_x4"\nrank_untrained = true'
    path.write_text(text.replace("references = []", two), encoding="utf-8")
    write_set5(place / "data")


def command(place: Path, reports: str, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "harness.cli", "run", "--json", *map(str, entries(place))),
        *("--challenge", str(place / "tiny.toml"), "--data-dir", str(place / "data")),
        *("--weights", "official", "--weights-dir", f"{os.environ['ESR_SHARED']}/weights"),
        *("--reports", str(place / reports), *options),
    ]


def entries(place: Path) -> list[Path]:
    return sorted((place / "entries").iterdir())


def board(place: Path, reports: str, *options: str) -> dict[str, Any]:
    began = time.monotonic()
    with (place / f"{reports}.log").open("ab") as log:
        done = subprocess.run(
            command(place, reports, *options), check=True, stdout=subprocess.PIPE, stderr=log
        )
    found: dict[str, Any] = json.loads(done.stdout)
    print(f"{reports}: {len(found['rows'])} rows in {time.monotonic() - began:.0f} s")
    return found


def disturbed(
    place: Path, engine: str, kill: Callable[[], None], raise_: Callable[[], None]
) -> None:
    """The run on an engine, whose coordinator and one node are killed in the middle."""
    options = ("--executor", engine, "--nodes", "2")
    reports = f"reports-{engine}"
    with (place / f"{reports}.log").open("ab") as log:
        first = subprocess.Popen(
            command(place, reports, *options), stdout=subprocess.DEVNULL, stderr=log
        )
    wait_for(lambda: len(measuring(place / reports)) == 2 or first.poll() is not None)
    first.kill()
    first.wait()
    print(f"{engine}: coordinator killed, {len(measuring(place / reports))} shards at work")
    kill()
    print(f"{engine}: a node killed")
    time.sleep(AWAY_S)
    raise_()
    compared(place, reports, board(place, reports, *options))


def measuring(reports: Path) -> list[Path]:
    """The attempts that have begun with rounds."""
    found = []
    for path in reports.glob("tiny/shards/*/*/status.json"):
        told = json.loads(path.read_bytes())
        if told["state"] == "working" and "round" in told["told"]:
            found.append(path)
    return found


def wait_for(true: Callable[[], bool], most_s: float = 1200.0) -> None:
    ends = time.monotonic() + most_s
    while not true():
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.5)


def compared(place: Path, reports: str, there: Mapping[str, Any]) -> None:
    """Print in what rows differ from those of the run here, beside times."""
    ours = steady(json.loads((place / "here.json").read_text(encoding="utf-8")))
    theirs = steady(there)
    ids = [row["id"] for row in there["rows"]]
    assert len(ids) == len(set(ids)), "a row stands twice"
    print(
        f"lost: {sorted(ours.keys() - theirs.keys())}, more: {sorted(theirs.keys() - ours.keys())}"
    )
    differ = {
        (name, key): (ours[name][key], theirs[name][key])
        for name in ours.keys() & theirs.keys()
        for key in ours[name]
        if ours[name][key] != theirs[name][key]
    }
    print(f"different but for times: {differ or 'nothing'}")
    timed = [row["id"] for row in there["rows"] if row["runtime_ratio"]]
    print(f"rows with a ratio: {len(timed)} of {len(ids)}")
    tell_needy(there)
    left = [*(place / reports / "tiny" / "shards").glob("*/shard.json")]
    print(f"shards left: {len(left)}; notes: {[it[:160] for it in there['notes']]}")


def tell_needy(document: Mapping[str, Any]) -> None:
    """What came of the entries with packages of their own."""
    for row in document["rows"]:
        if row["id"] in NEEDY:
            told = {key: row[key] for key in ("status", "ranked", "reason", "notes")}
            print(f"{row['id']}: {told}")


def steady(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        row["id"]: {key: it for key, it in row.items() if key not in NOISY}
        | {"audits": [(it["id"], it["verdict"]) for it in row["audits"]]}
        for row in document["rows"]
    }


def on_slurm(place: Path) -> None:
    """Within `slurm_here.sh`."""
    folder = Path(os.environ["SLURM_CONF"]).parent

    def kill() -> None:
        os.kill(int((folder / "nodes.pid" / "n2").read_text()), signal.SIGKILL)
        for process in psutil.process_iter():  # what it has started goes with a node
            with contextlib.suppress(psutil.Error):
                if process.environ().get("ESR_NODE") == "n2":
                    process.kill()

    disturbed(
        place, "slurm", kill, lambda: subprocess.run(["slurmd", "-N", "n2"], check=True) and None
    )


def on_requeue(place: Path) -> None:
    """Within `slurm_here.sh`: a shard goes back into the queue while it is measured."""
    reports, handles = "reports-requeue", list[str]()

    def requeue() -> None:
        wait_for(lambda: bool(measuring(place / reports)))
        order = measuring(place / reports)[0].with_name("order.json")
        handles.append(json.loads(order.read_bytes())["handle"])
        subprocess.run(["scontrol", "requeue", handles[0]], check=True)

    thread = threading.Thread(target=requeue)
    thread.start()
    found = board(place, reports, "--executor", "slurm", "--nodes", "2")
    thread.join()
    told = subprocess.run(
        ["scontrol", "show", "job", handles[0]], check=True, capture_output=True, text=True
    )
    kept = [it for it in told.stdout.split() if it.startswith(("JobState", "Restarts", "RunTime"))]
    print(f"requeued {handles[0]}: {', '.join(kept)}")
    compared(place, reports, found)


@contextmanager
def ray_cluster(place: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Two nodes of one core; what starts one of them."""
    ray, running = str(Path(sys.executable).with_name("ray")), []

    def start(*options: str, name: str) -> subprocess.Popen[bytes]:
        log, first = (place / f"ray-{name}.log").open("ab"), 20000 + 1000 * len(running)
        process = subprocess.Popen(
            [
                *(ray, "start", "--block", "--num-cpus=1", "--disable-usage-stats"),
                *("--object-store-memory=100000000", *options),
                *(f"--min-worker-port={first}", f"--max-worker-port={first + 999}"),
            ],
            env={
                **os.environ,
                "ESR_NODE": name,
                "XDG_CACHE_HOME": str(place / f"cache-{name}"),
            },
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        running.append(process)
        return process

    try:
        start("--head", "--port=6380", "--include-dashboard=false", name="head")
        time.sleep(12.0)
        yield lambda name: start("--address=127.0.0.1:6380", name=name)
    finally:
        for process in running:
            ended(process)


def ended(process: subprocess.Popen[bytes]) -> None:
    """A node's whole session, at once."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def on_ray(place: Path) -> None:
    with ray_cluster(place) as start:
        second = start("second")
        time.sleep(8.0)
        os.environ["RAY_ADDRESS"] = "127.0.0.1:6380"
        disturbed(place, "ray", lambda: ended(second), lambda: start("second") and None)


def main() -> None:
    place, what = Path(sys.argv[1]).absolute(), sys.argv[2]
    place.mkdir(parents=True, exist_ok=True)
    # nodes have no line to an index: uv's cache is what they share
    os.environ.setdefault("UV_CACHE_DIR", str(place / "uv"))
    material(place)
    if what == "here":
        found = board(place, "reports-here")
        (place / "here.json").write_text(json.dumps(found), encoding="utf-8")
        tell_needy(found)
    elif what == "ray":
        on_ray(place)
    elif "SLURM_CONF" in os.environ:
        (on_requeue if what == "requeue" else on_slurm)(place)
    else:
        script = Path(__file__).with_name("slurm_here.sh")
        again = [
            str(script),
            str(place / "cluster"),
            "2",
            sys.executable,
            __file__,
            str(place),
            what,
        ]
        subprocess.run(again, check=True)


if __name__ == "__main__":
    main()
