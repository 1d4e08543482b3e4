"""A machine to install the package on: an overlay of this one's file system, in namespaces."""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/package-test"
OLD, NEW = "1.0.0", "1.1.0"
# For anything to happen: far more than it takes, as tests do not judge speed by this.
PATIENCE = 300  # seconds
URL = "http://127.0.0.1:10115"
USER = 47115  # of nobody else

UNIT = pathlib.Path("/lib/systemd/system/echo_exporter.service")
CONFIG = pathlib.Path("/etc/echo_exporter/echo_exporter.toml")
DEFAULTS = pathlib.Path("/etc/default/echo_exporter")


def build_packages():
    for version in (OLD, NEW):
        output = subprocess.run(
            [ROOT / "deploy/linux/build_deb", version],
            stdout=subprocess.PIPE, text=True, check=True,
        ).stdout  # fmt: skip
        shutil.move(ROOT / output.splitlines()[-1], package(version))


def package(version):
    return WORK / f"echo-exporter_{version}.deb"


def take_over():
    """Makes this process's mount and network namespaces the machine."""
    overlay = WORK / "overlay"
    overlay.mkdir(exist_ok=True)

    def mount(*arguments):
        subprocess.run(["mount", *map(str, arguments)], check=True)

    mount("--make-rprivate", "/")
    # Held by memory: the file system of build/ may be an overlay itself.
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", overlay)
    for name in ("upper", "work", "root"):
        (overlay / name).mkdir()
    options = f"lowerdir=/,upperdir={overlay}/upper,workdir={overlay}/work"
    mount("-t", "overlay", "-o", options, "overlay", overlay / "root")
    for name in ("proc", "sys", "dev"):
        mount("--rbind", f"/{name}", f"{overlay}/root/{name}")
    mount("--bind", WORK, f"{overlay}/root{WORK}")
    os.chroot(overlay / "root")
    os.chdir(ROOT)
    # Else each installation makes the index of all manual pages again.
    pathlib.Path("/var/lib/man-db/auto-update").unlink(missing_ok=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # Which programs may be started by maintainer scripts, and whether systemd is there.
    assert not pathlib.Path("/run/systemd/system").exists(), "systemd runs here"


def allow_datagram_sockets(allow):
    groups = "0 2147483647" if allow else "1 0"
    pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text(groups)


def run(*command, check=True):
    """Runs a program; returns its exit code and output."""
    ended = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and ended.returncode != 0:
        raise AssertionError(f"{command}: {ended.returncode}: {ended.stdout}")
    return ended.returncode, ended.stdout


def install(version):
    return run("dpkg", "--force-confold", "--install", package(version))


def purge():
    run("dpkg", "--purge", "echo-exporter")


def wait_for(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.02)
    return value


def get(path):
    """The status and text of a page; a status of 0 when nobody serves."""
    try:
        with urllib.request.urlopen(URL + path, timeout=PATIENCE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def metric(name, labels=""):
    """The sum of the series of that name whose labels hold a text."""
    found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", get("/metrics")[1], re.MULTILINE)
    return sum(float(value) for names, value in found if labels in names)


def unit_settings(name):
    """The values of a setting of the installed unit, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def unit_command():
    """ExecStart of the installed unit, as systemd reads it."""
    arguments = re.search(r'^ARGS="(.*)"$', DEFAULTS.read_text(), re.MULTILINE)[1]
    words = []
    for word in shlex.split(unit_settings("ExecStart")[0]):
        words += shlex.split(arguments) if word == "$ARGS" else [word]
    return words


class Service:
    """The unit's command as an unprivileged user, with this in the place of systemd."""

    def __init__(self, raw=True, uid=USER, watchdog=None):
        self.uid = uid
        self.raw = raw
        self.watchdog = watchdog  # seconds
        self.messages = []
        self.socket = None
        self.process = None

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0echo_exporter_package_test")
        environment = {**os.environ, "NOTIFY_SOCKET": "@echo_exporter_package_test"}
        if self.watchdog:
            environment["WATCHDOG_USEC"] = str(int(self.watchdog * 1e6))
        allow_datagram_sockets(not self.raw)
        user = []
        if self.uid != 0:
            capability = "+net_raw" if self.raw else "-all"
            user = [
                *("setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"),
                *(f"--inh-caps={capability}", f"--ambient-caps={capability}", "--no-new-privs"),
                f"--bounding-set={'-all,+net_raw' if self.raw else '-all'}",
            ]
        with open(WORK / "service.log", "ab") as log:
            self.process = subprocess.Popen(
                [*user, *unit_command()], env=environment, cwd="/",
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            self.wait_for_message("READY=1")
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *error):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.receive()
            self.socket.close()
        if error == (None, None, None) and code != 0:
            raise AssertionError(f"ended with {code}")

    def receive(self):
        """Takes over what has come; returns all messages so far."""
        try:
            while True:
                text = self.socket.recv(4096, socket.MSG_DONTWAIT).decode()
                self.messages.append(dict(line.split("=", 1) for line in text.split("\n")))
        except BlockingIOError:
            return self.messages

    def wait_for_message(self, line):
        """Waits for a message with that line, from here on, and returns it."""
        name, value = line.split("=")
        begin = len(self.messages)

        def look():
            if self.process.poll() is not None:
                raise AssertionError(f"ended by itself with {self.process.returncode}")
            return [one for one in self.receive()[begin:] if one.get(name) == value]

        return wait_for(line, look)[0]

    def threads(self):
        return [int(path.name) for path in self.proc("task").iterdir()]

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.process.pid}") / name

    def status(self, name):
        """The different values of a line of /proc/PID/status, over all threads."""
        values = set()
        for thread in self.threads():
            # A thread that served a client may end meanwhile; the main thread does not.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                text = self.proc(f"task/{thread}/status").read_text()
                values.add(re.search(rf"^{name}:\t(.*)$", text, re.MULTILINE)[1])
        return values
