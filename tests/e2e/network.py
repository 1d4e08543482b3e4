"""The scripted network: see README.md for its addresses."""

import json
import os
import pathlib
import signal
import subprocess

import processes

PROGRAM = processes.ROOT / "build/e2e/scripted_network"
DEVICE = "echonet0"
ROUTER = "10.213.0.254"
SOURCE, OTHER_SOURCE = "10.213.0.1", "10.213.0.2"

_HOSTS = processes.WORK / "hosts"


def build():
    """Compiles the network when its sources are newer than the program."""
    sources = sorted(pathlib.Path(__file__).parent.glob("scripted_network*"))
    if PROGRAM.exists() and PROGRAM.stat().st_mtime > max(s.stat().st_mtime for s in sources):
        return
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    new = PROGRAM.with_suffix(".new")
    units = [source for source in sources if source.suffix == ".cc"]
    subprocess.run(["g++", "-std=c++20", "-O2", "-o", new, *units], check=True)
    new.rename(PROGRAM)


def take_over_namespace():
    """Makes this process's own network and mount namespaces ready: a loopback device, and names
    that resolve from a file of ours and nothing else."""
    ip("link", "set", "lo", "up")
    set_hosts({})
    resolver = processes.work_file("resolv.conf")
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    for ours, path in ((_HOSTS, "/etc/hosts"), (resolver, "/etc/resolv.conf")):
        subprocess.run(["mount", "--bind", ours, path], check=True)


def set_hosts(names):
    """Makes these names, and localhost, the only ones that resolve: {name: address}."""
    _HOSTS.parent.mkdir(parents=True, exist_ok=True)
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    lines += [f"{address} {name}" for name, address in names.items()]
    # One write into the same file: a bind mount would keep showing a file that was replaced, and
    # a resolver must not see half of it.
    text = "\n".join(lines) + "\n"
    descriptor = os.open(_HOSTS, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        # Blanks cover what was longer before.
        size = os.fstat(descriptor).st_size
        os.pwrite(descriptor, text.ljust(size).encode(), 0)
    finally:
        os.close(descriptor)


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


class ScriptedNetwork(processes.Daemon):
    def __init__(self, late_ms=3000):
        self._stats = processes.work_file("network.json")
        command = [PROGRAM, "--device", DEVICE, "--stats", self._stats, "--late-ms", late_ms]
        super().__init__("network", command)

    def is_ready(self):
        return "ready" in self.log_text()

    def stats(self):
        """What the network saw until now, by destination; README.md has the fields."""
        return self._all_stats()["destinations"]

    def final_stats(self):
        """The same once nothing is left to be answered."""

        def idle():
            stats = self._all_stats()
            return stats if stats["pending"] == 0 else None

        return processes.wait_for("the network is idle", idle)["destinations"]

    def _all_stats(self):
        self._stats.unlink()
        self.send(signal.SIGUSR1)
        processes.wait_for("the network's statistics", self._stats.exists)
        return json.loads(self._stats.read_text())

    def requests(self, address):
        return self.stats().get(address, {"requests": 0})["requests"]

    def take_down(self):
        ip("link", "set", DEVICE, "down")

    def bring_up(self):
        ip("link", "set", DEVICE, "up")
