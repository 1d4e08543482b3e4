"""The exporter: the Windows executable under Wine, or a native one."""

import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.error
import urllib.request

import processes
import scrape

PROGRAM = pathlib.Path(os.environ["ECHO_EXPORTER"])  # which `run` sets
# Which column of expectations.py holds.
PLATFORM = "wine" if PROGRAM.suffix == ".exe" else "linux"
# Sanitizers keep what was freed, something of each thread that ever was, and need descriptors.
SANITIZED = b"__asan_init" in PROGRAM.read_bytes()
ADDRESS = "127.0.0.1:10115"
OTHER_ADDRESS = "127.0.0.1:10116"  # of a second one beside the first

WINE = processes.ROOT / "cmake/wine.sh"
_WINE_RUNNER = processes.ROOT / "cmake/run_under_wine.sh"
_WINE = {
    # Its own: Wine sends from server processes, which must be in our network namespace.
    "WINEPREFIX": os.environ.get(
        "ECHO_EXPORTER_WINEPREFIX", str(processes.ROOT / "build/e2e/wineprefix")
    ),
    "WINEDEBUG": "-all",
    "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=d",
}


def start_platform():
    """Starts Wine's servers, so that no test's time includes that."""
    if PLATFORM == "wine":
        log = processes.work_file("wine.log")
        with open(log, "wb") as file:
            subprocess.run(
                [_WINE_RUNNER, "cmd", "/c", "exit"],
                env={**os.environ, **_WINE},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                check=True,
            )


def stop_platform():
    if PLATFORM == "wine":
        subprocess.run(["wineserver", "--kill"], env={**os.environ, **_WINE}, check=False)


def command(*arguments):
    """The command line that runs the exporter with these arguments."""
    return ([WINE] if PLATFORM == "wine" else []) + [str(PROGRAM), *map(str, arguments)]


def environment():
    return _WINE if PLATFORM == "wine" else {}


def run(*arguments, text=None):
    """Runs the exporter to its end, with `text` as its input, if any.

    Returns (exit code, standard output, standard error).
    """
    out, err = processes.work_file("stdout"), processes.work_file("stderr")
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        ended = subprocess.run(
            command(*arguments),
            env={**os.environ, **environment()},
            input=(text or "").encode(),
            stdout=stdout,
            stderr=stderr,
            timeout=processes.PATIENCE,
            check=False,
        )
    texts = (path.read_bytes().decode().replace("\r\n", "\n") for path in (out, err))
    return ended.returncode, *texts


def get(path, headers=None, address=ADDRESS, method="GET"):
    """Returns (status, text) of a page; raises OSError when nothing answers."""
    url = f"http://{address}{path}"
    request = urllib.request.Request(url, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=processes.PATIENCE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def toml(value):
    """A value in TOML; JSON's notation is also TOML's, but for tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def group(name, **keys):
    """A [[group]] of the configuration."""
    lines = ["[[group]]", f"name = {toml(name)}"]
    return "\n".join(lines + [f"{key} = {toml(value)}" for key, value in keys.items()]) + "\n"


_running = set()  # exporters
_must_restart = False  # the platform


class Exporter(processes.Daemon):
    """The daemon; leaving the `with` block must end it well."""

    stop_signal = signal.SIGINT

    def __init__(self, config, *arguments, address=ADDRESS, env=None):
        self.address = address
        self.config_file = processes.work_file("exporter.toml")
        self.config_file.write_text(f'[web]\nlisten_addresses = ["{address}"]\n{config}')
        daemon = command(f"--config.file={self.config_file}", *arguments)
        super().__init__("exporter", daemon, environment() | (env or {}))

    def __enter__(self):
        _running.add(self)
        return super().__enter__()

    def stop(self):
        code = super().stop()
        log = self.log_text() if self.log.exists() else ""
        self._has_ended(re.search(r"stopped in_flight=[1-9]", log) is not None)
        return code

    def kill(self):
        super().kill()
        self._has_ended(True)

    def _has_ended(self, with_requests):
        """The driver of Wine 8 may hang when a process ends with echo requests under way: it starts
        anew when no other uses it."""
        global _must_restart
        _running.discard(self)
        _must_restart = _must_restart or with_requests
        if _must_restart and not _running:
            stop_platform()
            start_platform()
            _must_restart = False

    def __exit__(self, *error):
        code = self.stop()
        if error == (None, None, None) and code != 0:
            raise AssertionError(f"the exporter ended with {code}:\n{self.log_text()}")

    def is_ready(self):
        try:
            return self.get("/-/ready")[0] == 200
        except OSError:
            return False

    def get(self, path, headers=None):
        return get(path, headers, self.address)

    def scrape(self):
        status, text = self.get("/metrics")
        if status != 200:
            raise AssertionError(f"/metrics: {status}: {text}")
        return scrape.Scrape.parse(text)

    def wait_until(self, what, condition):
        """Scrapes until condition(scrape) is true; returns that scrape."""

        def look():
            seen = self.scrape()
            return seen if condition(seen) else None

        return processes.wait_for(what, look)


class HostileClients(processes.Daemon):
    """hostile_clients.py: so many slow ones, ones who ask for `probe_path`, and broken ones."""

    def __init__(self, slow, probes, broken, probe_path, probe_pause=0):
        program = processes.ROOT / "tests/e2e/hostile_clients.py"
        command = [program, ADDRESS, slow, probes, broken, probe_path, probe_pause]
        super().__init__("hostile", command)

    def is_ready(self):
        return "ready" in self.log_so_far()

    def counts(self):
        """Ends them; how many answers of each kind had which status."""
        self.stop()
        return json.loads(self.log_text().splitlines()[-1])
