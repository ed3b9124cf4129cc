"""A Ray cluster of a head and two nodes on one machine: what a run loses when a node is killed.

``python scripts/cluster_ray.py --kills 20`` starts the cluster on 127.0.0.1
(``ray.cluster_utils``) and a run on it once for each kill: at a random moment, every process of
one node ends by SIGKILL. Its sequence goes back and runs on the other node, and a new node takes
the place. If it is the node that the run itself is connected to, the run is started again. In the
end every result must be there once, and equal to the byte to that of a run without a cluster; and
no port but of the loopback address may be open. The test suite does it once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cluster_trials import ROOT, faults_of, prepare

# A lost node is noticed within seconds in place of half a minute; nobody is told of the usage.
SETTINGS = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # stays on the loopback address
}
LISTENING = "0A"


class Nodes:
    """A head without cores and two nodes with one each; a context manager."""

    def __init__(self) -> None:
        os.environ.update(SETTINGS)
        from ray.cluster_utils import Cluster

        self.cluster: Any = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0, "node_ip_address": "127.0.0.1", "include_dashboard": False,
            },
        )  # fmt: skip
        self.nodes = [self._add(), self._add()]

    def _add(self) -> Any:
        return self.cluster.add_node(num_cpus=1, node_ip_address="127.0.0.1")

    def __enter__(self) -> Nodes:
        return self

    def __exit__(self, *error: object) -> None:
        self.cluster.shutdown()

    def kill(self, number: int) -> int:
        """Kill every process of a node, and start another in its place; returns how many."""
        node = self.nodes[number]
        found = [pid for pid in tree(raylet_of(node)) if _kill(pid)]
        with contextlib.suppress(Exception):  # forget it; it is dead already
            self.cluster.remove_node(node, allow_graceful=False)
        self.nodes[number] = self._add()
        return len(found)


def raylet_of(node: Any) -> int:
    """The process of a node's daemon."""
    return int(node.all_processes["raylet"][0].process.pid)


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def tree(pid: int) -> Iterator[int]:
    """A process and all that it started, and these, from the top."""
    yield pid
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            words = path.read_text().rpartition(")")[2].split()
            if int(words[1]) == pid:
                yield from tree(int(path.parent.name))


def open_ports(pids: set[int]) -> set[str]:
    """Addresses that processes listen on, as hexadecimal text."""
    sockets = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                sockets.add(str(link.readlink()))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == LISTENING and f"socket:[{words[9]}]" in sockets:
                found.add(words[1].partition(":")[0])
    return found


def exposed(addresses: set[str]) -> set[str]:
    """Those that are not of the loopback address."""
    mapped = "0000000000000000FFFF00000100007F"
    return addresses - {"0100007F", "00000000000000000000000001000000", mapped}


def start_run(folder: Path, run: list[str], name: str, address: str) -> subprocess.Popen[str]:
    """A run on the cluster, in a process of its own."""
    command = [sys.executable, "-m", "bench", "run", *run, "-r", name, "--no-progress"]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [*command, "--engine", "ray", "--ray-address", address], cwd=folder, text=True,
        env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def trial(nodes: Nodes, folder: Path, run: list[str], number: int, kill: float) -> list[str]:
    """One run in which a node is killed some seconds after it has begun; returns faults."""
    name = f"results-{number}"
    process = start_run(folder, run, name, nodes.cluster.address)
    record = folder / name / "otb2015" / "Slow" / "run.json"
    while not record.exists() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(kill)
    ended = nodes.kill(number % 2)
    output, _ = process.communicate(timeout=300)
    if process.returncode == 1 and "connected to is gone" in output:
        # All three nodes have one address, so the run may have chosen the victim as its own. It
        # ends with its node, and goes on as anybody would have it go on: by the same command.
        process = start_run(folder, run, name, nodes.cluster.address)
        output, _ = process.communicate(timeout=300)
    faults = [] if process.returncode == 0 else [f"it ended with {process.returncode}: {output}"]
    if ended < 1:
        faults.append("no process was killed")
    return faults + faults_of(folder, name)


def remarks(folder: Path, number: int) -> list[str]:
    """What the record says of nodes; nothing of a run that did not begin."""
    record = folder / f"results-{number}" / "otb2015" / "Slow" / "run.json"
    if not record.exists():
        return []
    sessions = json.loads(record.read_text())["sessions"]
    return [remark for session in sessions for remark in session.get("remarks", ())]


def main() -> int:
    """Kill, look, and tell; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--after", type=float, help="seconds before each kill; random by default")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds a frame takes")
    chosen = parser.parse_args()
    generator, bad, hit = random.Random(chosen.seed), 0, 0
    with TemporaryDirectory(prefix="ray-") as base, Nodes() as nodes:
        folder = Path(base)
        run = prepare(folder, chosen.pause)
        for number in range(chosen.kills):
            after = generator.uniform(0, 8) if chosen.after is None else chosen.after
            faults = trial(nodes, folder, run, number, after)
            told = remarks(folder, number)
            bad, hit = bad + bool(faults), hit + bool(told)
            print(
                f"kill {number + 1} after {after:.1f} s: {faults or 'nothing lost'}"
                f"{', a worker was lost' if told else ''}", flush=True,
            )  # fmt: skip
        reached = exposed(open_ports(set(tree(os.getpid()))))
        print(f"open beyond the loopback address: {sorted(reached) or 'nothing'}")
    print(f"{chosen.kills} kills, {hit} of them under a worker, {bad} with faults")
    return 1 if bad or reached else 0


if __name__ == "__main__":
    sys.exit(main())
