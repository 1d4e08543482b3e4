"""Processes that a test starts, and waiting for what they do."""

import itertools
import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# All that a run writes: logs, configurations, Prometheus's data. `run` sets it.
WORK = pathlib.Path(os.environ["ECHO_EXPORTER_WORK"])

# For anything to happen: far more than it takes, as tests do not judge speed by this.
PATIENCE = 300  # seconds
# The machine does nothing else, so that time may be demanded.
FULL = os.environ.get("ECHO_EXPORTER_FULL") == "1"

_numbers = itertools.count(1)


def limit(seconds):
    """What may be demanded of a time: so much of an idle machine, otherwise only that it ends."""
    return seconds if FULL else PATIENCE


def work_file(name):
    """A path in WORK that no other caller gets."""
    WORK.mkdir(parents=True, exist_ok=True)
    return WORK / f"{next(_numbers):03}-{name}"


def wait_for(what, condition):
    """Returns the first true value of condition(); an AssertionError when patience is over."""
    deadline = time.monotonic() + PATIENCE
    while True:
        asked = time.monotonic()
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        # To ask takes a second where there are 10,000 pairs; what is waited for needs the processor.
        time.sleep(max(0.05, 4 * (time.monotonic() - asked)))


class Daemon:
    """A process that runs inside of a `with` block, its output in a file.

    A file, because Wine's helper processes inherit the output and would keep a pipe open.
    """

    stop_signal = signal.SIGTERM

    def __init__(self, name, command, env=None):
        self.name = name
        self.command = [str(word) for word in command]
        self.env = env
        self.log = work_file(name + ".log")
        self.process = None
        self._asked_to_stop = False

    def __enter__(self):
        with self.open_output() as log:
            # A session of its own: the terminal's Ctrl-C is for the test, which stops the rest.
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(self.env or {})},
                start_new_session=True,
            )
        try:
            wait_for(f"{self.name} is ready", self._is_ready)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def open_output(self):
        return open(self.log, "wb")

    def is_ready(self):
        raise NotImplementedError

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended by itself:\n{self.log_text()}")
        return self.is_ready()

    def send(self, number):
        self.process.send_signal(number)

    def ask_to_stop(self):
        """Asks once: a second time might mean `at once`."""
        if not self._asked_to_stop and self.process.poll() is None:
            self.send(self.stop_signal)
        self._asked_to_stop = True

    def stop(self):
        """Ends the process, if it still runs, and returns its exit code."""
        self.ask_to_stop()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {PATIENCE} s") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log_text(self):
        """All that the process, which has ended, wrote: one that runs may have more to write."""
        assert self.process.poll() is not None, f"{self.name} still runs: wait_for_log()"
        return self.log_so_far()

    def log_so_far(self):
        return self.log.read_text(errors="replace")

    def wait_for_log(self, text, times=1):
        """Until the log has a text so often. A line may come after what it tells of is seen."""
        wait_for(
            f"{text!r} in the log of {self.name}", lambda: self.log_so_far().count(text) >= times
        )
