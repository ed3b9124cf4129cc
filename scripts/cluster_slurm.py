"""A Slurm of two nodes on this machine, and what a run loses when one is killed whole.

``python scripts/cluster_slurm.py --kills 20`` installs Debian's Slurm if there is none and apt is
there, starts ``slurmctld`` and two ``slurmd`` on 127.0.0.1, and sends a run by ``bench submit
slurm --now`` once for each kill: at a random moment, every process of one node ends by SIGKILL.
Slurm notices, takes the task back and starts it on the other node. In the end every result must be
there once, and equal to the byte to that of a run without a cluster. The test suite does it once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from cluster_trials import ROOT, faults_of, prepare

NODES = ("one", "two")
NEEDED = ("slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo")
PACKAGES = ("slurmctld", "slurmd", "slurm-client")
CONFIGURATION = """
ClusterName=proof
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
AuthType=auth/none
AuthInfo=cred_expire=6
CredType=cred/none
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MpiDefault=none
JobRequeue=1
ReturnToService=2
SlurmdTimeout=5
KillWait=2
MinJobAge=3600
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName={nodes[0]} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 State=UNKNOWN
NodeName={nodes[1]} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Why there can be no Slurm here; empty if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a Slurm of two nodes on one machine needs root on Linux"
    missing = [each for each in NEEDED if shutil.which(each) is None]
    return f"no {', '.join(missing)} here (Debian: {' '.join(PACKAGES)})" if missing else ""


def install() -> None:
    """Install Debian's Slurm where it is missing; says why if it cannot."""
    if not why_not():
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise SystemExit(why_not())
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    command = ["apt-get", "install", "-qq", "--no-install-recommends", *PACKAGES]
    subprocess.run(command, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if why_not():
        raise SystemExit(why_not())


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]


class Slurm:
    """A controller and two nodes; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self.environment = {**os.environ, "SLURM_CONF": str(self.conf), "PYTHONPATH": str(ROOT)}
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Slurm:
        (self.folder / "state").mkdir(parents=True)
        host = socket.gethostname().partition(".")[0]
        ports = free_ports(3)
        text = CONFIGURATION.format(host=host, folder=self.folder, ports=ports, nodes=NODES)
        self.conf.write_text(text)
        self._start("controller", "slurmctld", "-D")
        for node in NODES:
            self.start(node)
        self.wait_for(lambda: self.up() == set(NODES), 60, "two idle nodes")
        return self

    def __exit__(self, *error: object) -> None:
        self.call("scancel", "--me", "--state=PENDING")
        for node in NODES:
            self.kill(node)
        for process in self._started.values():
            process.kill()
            process.wait()

    def _start(self, name: str, *command: str) -> None:
        where = shutil.which(command[0]) or command[0]
        environment = {**self.environment, "PROOF_NODE": name}
        self._started[name] = subprocess.Popen(
            [where, *command[1:]], env=environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self, node: str) -> None:
        """Start a node."""
        self._start(node, "slurmd", "-D", "-N", node)

    def kill(self, node: str) -> int:
        """Kill every process of a node at once, its daemon included; returns how many."""
        found = list(self._processes(node))
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if node in self._started:
            self._started[node].wait()
        return len(found)

    def _processes(self, node: str) -> Iterator[int]:
        """The daemon of a node and what its jobs started, by this cluster's configuration."""
        ours = f"SLURM_CONF={self.conf}\0".encode()
        names = [f"{name}={node}\0".encode() for name in ("PROOF_NODE", "SLURMD_NODENAME")]
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                told = path.read_bytes() + b"\0"
                if ours in told and any(name in told for name in names):
                    yield int(path.parent.name)

    def call(self, *command: str, folder: Path | None = None) -> str:
        """What a command of Slurm, or of ours, prints."""
        done = subprocess.run(
            command, env=self.environment, cwd=folder, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() or done.stderr.strip()

    def up(self) -> set[str]:
        """The nodes that can take tasks."""
        lines = self.call("sinfo", "--noheader", "--Node", "--format=%N %t").splitlines()
        words = [line.split() for line in lines if len(line.split()) == 2]
        return {name for name, state in words if state in ("idle", "mix", "alloc")}

    def queue(self) -> list[str]:
        """The tasks that wait or run."""
        return self.call("squeue", "--noheader", "--array", "--format=%i %T").splitlines()

    def wait_for(self, condition: object, seconds: float, what: str) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():  # type: ignore[operator]
            if time.monotonic() > deadline:
                log = self.folder / "slurmctld.log"
                tail = log.read_text()[-2000:] if log.exists() else ""
                raise RuntimeError(f"{what}: not within {seconds} s; {self.queue()}\n{tail}")
            time.sleep(0.2)


def trial(
    slurm: Slurm, folder: Path, run: list[str], number: int, kill: float | None
) -> list[str]:
    """One run of two tasks, in which a node is killed after some seconds; returns faults."""
    name, victim = f"results-{number}", NODES[number % 2]
    told = slurm.call(
        sys.executable, "-m", "bench", "submit", "slurm", "--tasks", "2", "--cpus-per-task", "1",
        "--now", "--", *run, "-r", name, folder=folder,
    )  # fmt: skip
    if "sent: job" not in told:
        return [told]
    tracker = folder / name / "otb2015" / "Slow"
    if kill is not None:
        slurm.wait_for(lambda: len(list(tracker.glob(".lock-*"))) == 2, 120, "two shards")
        time.sleep(kill)
        slurm.kill(victim)
        slurm.wait_for(lambda: victim not in slurm.up(), 90, f"{victim} down")
        slurm.start(victim)
    slurm.wait_for(lambda: not slurm.queue(), 300, "the end of the tasks")
    slurm.wait_for(lambda: slurm.up() == set(NODES), 60, "both nodes")
    return faults_of(folder, name)


def main() -> int:
    """Kill, look, and tell; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--after", type=float, help="seconds before each kill; random by default")
    parser.add_argument("--pause", type=float, default=0.01, help="seconds a frame takes")
    chosen = parser.parse_args()
    install()
    generator, bad = random.Random(chosen.seed), 0
    with TemporaryDirectory(prefix="slurm-") as base:
        folder = Path(base, "work")
        folder.mkdir()
        run = prepare(folder, chosen.pause)
        with Slurm(Path(base, "slurm")) as slurm:
            for number in range(chosen.kills):
                after = generator.uniform(0, 5) if chosen.after is None else chosen.after
                faults = trial(slurm, folder, run, number, after)
                bad += bool(faults)
                print(
                    f"kill {number + 1} after {after:.1f} s: {faults or 'nothing lost'}",
                    flush=True,
                )
    print(f"{chosen.kills} kills, {bad} with faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
