"""The scripted network: see README.md for its addresses."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess

import processes

PROGRAM = processes.ROOT / "build/e2e/scripted_network"
REPLY_FLOOD = processes.ROOT / "build/e2e/reply_flood"
WALL_CLOCK = processes.ROOT / "build/e2e/wall_clock.so"
ALLOCATED_BYTES = processes.ROOT / "build/e2e/allocated_bytes.so"
HANDLE_COUNT = processes.ROOT / "build/e2e/handle_count.exe"
DEVICE = "echonet0"
ROUTER = "10.213.0.254"
SOURCE, OTHER_SOURCE = "10.213.0.1", "10.213.0.2"
SOURCE6, OTHER_SOURCE6 = "fd00:213::1", "fd00:213::2"
# Which kind of ICMP socket the namespace allows, "datagram" or "raw"; `run` sets it.
SOCKETS = os.environ.get("ECHO_EXPORTER_SOCKETS", "datagram")

_HOSTS = processes.WORK / "hosts"
_RESOLVER = processes.WORK / "resolv.conf"


def build():
    """Compiles the network and the other programs of the tests, where they are out of date."""
    here = pathlib.Path(__file__).parent
    _compile(
        PROGRAM,
        [*sorted(here.glob("scripted_network*")), here.parent / "support/local_route_linux.h"],
        *("-I", processes.ROOT),
    )
    _compile(REPLY_FLOOD, [here / "reply_flood_linux.cc"])
    for library in (WALL_CLOCK, ALLOCATED_BYTES):
        _compile(library, [here / f"{library.stem}_linux.cc"], "-shared", "-fPIC")
    _compile(
        HANDLE_COUNT,
        [here / "handle_count_windows.cc"],
        *("-municode", "-static", "-lntdll"),
        compiler="x86_64-w64-mingw32-g++-posix",
    )


def _compile(program, sources, *options, compiler="g++"):
    if program.exists() and program.stat().st_mtime > max(s.stat().st_mtime for s in sources):
        return
    program.parent.mkdir(parents=True, exist_ok=True)
    new = program.with_suffix(".new")
    units = [source for source in sources if source.suffix == ".cc"]
    command = [compiler, "-std=c++20", "-O2", "-o", new, *units, *options]
    subprocess.run(command, check=True)
    new.rename(program)


def take_over_namespace():
    """Makes this process's own network and mount namespaces ready: a loopback device, and names
    that resolve from a file of ours and nothing else."""
    ip("link", "set", "lo", "up")
    # The groups that may have datagram sockets; the first range is empty.
    groups = {"raw": "1 0", "datagram": "0 2147483647"}[SOCKETS]
    pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text(groups, encoding="ascii")
    set_hosts({})
    set_name_server()
    for ours, path in ((_HOSTS, "/etc/hosts"), (_RESOLVER, "/etc/resolv.conf")):
        subprocess.run(["mount", "--bind", ours, path], check=True)


def set_name_server(timeout=1):
    """Gives the name server, which does not exist unless a test makes it, this many seconds."""
    _RESOLVER.parent.mkdir(parents=True, exist_ok=True)
    _RESOLVER.write_text(f"nameserver 127.0.0.1\noptions timeout:{timeout} attempts:1\n")


def set_hosts(names):
    """Makes these names, and localhost, the only ones that resolve: {name: address, or a list}."""
    _HOSTS.parent.mkdir(parents=True, exist_ok=True)
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    for name, found in names.items():
        lines += [f"{address} {name}" for address in ([found] if isinstance(found, str) else found)]
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


@contextlib.contextmanager
def route(kind, destination):
    """A route of that kind, "unreachable" or "prohibit", inside of the `with` block."""
    ip("route", "add", kind, destination)
    try:
        yield
    finally:
        ip("route", "delete", kind, destination)


def tc(*arguments):
    subprocess.run(["tc", *arguments], check=True)


class ScriptedNetwork(processes.Daemon):
    def __init__(self, late_ms=3000):
        self._stats = processes.work_file("network.json")
        command = [PROGRAM, "--device", DEVICE, "--stats", self._stats, "--late-ms", late_ms]
        super().__init__("network", command)

    def is_ready(self):
        return "ready" in self.log_so_far()

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
