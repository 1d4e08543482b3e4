"""What an exporter meets in years, in little time: clients that want to break it, sudden ends, many
reloads, a full disk, and then all of it at once.

In a run of all tests each is short. With `run --full` they take their whole numbers, and what they
demand of time and memory holds for a machine that does nothing else. All print what they measured.
"""

import contextlib
import itertools
import os
import pathlib
import statistics
import subprocess
import time
import unittest

import exporter
import network
import processes
import scrape

WINE = exporter.PLATFORM == "wine"

KILLS = 100 if processes.FULL else 5
# Natively enough to see it if each left a configuration of these few pairs behind.
RELOADS = 10_000 if processes.FULL else 300 if WINE else 2_000
PROBES = 100_000 if processes.FULL else 5_000
CLIENT_SECONDS = 60 if processes.FULL else 5
SOAK_SECONDS = 1800 if processes.FULL else 0
SOAK_ROUNDS = 10 if WINE else 40  # at least; in one of ten the network is down
# Under Wine, how many times as long a pair waits for its next request: it is to keep up beside others.
SOAK_PACE = 4 if WINE and not processes.FULL else 1

# Those who send half a request, who ask for probes, and who send what is no request; and how long
# one who asks for probes waits for the next. In a run of all tests they leave a processor to others.
CLIENTS = (1000, 500, 20) if processes.FULL else (300, 50, 20)
PROBE_PAUSE = 0 if processes.FULL else 0.4 if WINE else 0.1
# So many requests are in flight in all of Wine.
REQUESTS_OF_WINE = 240
# Probes on demand share them; elsewhere it is the server's limit. A short run gets there as well.
ON_DEMAND = (100 if WINE else 448) if processes.FULL else 20
ON_DEMAND_CONFIG = f"[probe]\nmax_concurrent = {ON_DEMAND}\n"
ON_DEMAND_PATH = "/probe?target=10.213.2.100"  # which answers after 0.1 s
MIB = 1024 * 1024


def setUpModule():
    unittest.enterModuleContext(network.ScriptedNetwork())


def report(text):
    print(text, end=" ", flush=True)


class Scrapes:
    """Scrapes of one exporter, and how long they took."""

    def __init__(self, daemon):
        self._daemon = daemon
        self.seconds = []

    def take(self):
        begun = time.monotonic()
        status, text = self._daemon.get("/metrics")
        self.seconds.append(time.monotonic() - begun)
        if status != 200:
            raise AssertionError(f"/metrics: {status}")
        return text

    def report(self):
        report(
            f"[{len(self.seconds)} scrapes, median {statistics.median(self.seconds) * 1e3:.0f} ms,"
            f" longest {max(self.seconds) * 1e3:.0f} ms]"
        )


def pool_threads(daemon):
    """How many workers the thread pool of Wine has now; elsewhere nothing has such a pool.

    Wine makes one more whenever a callback finds them all at work, and keeps it while there is
    something to do. So their number tells how long callbacks waited for a processor.
    """
    workers = 0
    for name in pathlib.Path(f"/proc/{daemon.process.pid}/task").glob("*/comm"):
        with contextlib.suppress(OSError):  # threads of connections end meanwhile
            workers += name.read_text() == "wine_threadpool\n"
    return workers


def resident(daemon):
    """The MiB in use without the stacks of the pool, of which Wine keeps one MiB each resident."""

    def look():
        workers = pool_threads(daemon)
        used = daemon.scrape().value("process_resident_memory_bytes")
        return used / MIB - workers if pool_threads(daemon) == workers else None

    return processes.wait_for("as many workers before as after a scrape", look)


class Case(unittest.TestCase):
    def assert_accounts(self, seen):
        self.assertEqual(scrape.accounting_errors(seen), [])


class ClientsTest(Case):
    def test_hostile_clients_disturb_neither_scrapes_nor_probes(self):
        config = ON_DEMAND_CONFIG + exporter.group(
            "g",
            sources=["auto", network.OTHER_SOURCE],
            destinations=["10.213.1.0/25"],
            timeout="10s",
        )
        with exporter.Exporter(config) as daemon:
            daemon.wait_until("all probed", lambda seen: seen.finished() >= 252)
            with exporter.HostileClients(*CLIENTS, ON_DEMAND_PATH, PROBE_PAUSE) as clients:
                scrapes = Scrapes(daemon)
                end = time.monotonic() + CLIENT_SECONDS
                next_scrape = time.monotonic()
                while time.monotonic() < end:
                    text = scrapes.take()
                    next_scrape += 0.1
                    time.sleep(max(next_scrape - time.monotonic(), 0))
                # With one more than there are clients, one of them has read its answer.
                answered = {"handler": "/probe", "code": "200"}
                daemon.wait_until(
                    "probes",
                    lambda seen: (seen.value("echo_exporter_http_requests_total", **answered) or 0)
                    > CLIENTS[1],
                )
                counts = clients.counts()
            seen = scrape.Scrape.parse(text)
            scrapes.report()
            missed = seen.total("echo_exporter_schedule_missed_total")
            report(f"{counts} [missed {missed:.0f}, outcomes {seen.outcomes()}]")
            self.assert_accounts(seen)
            self.assertEqual(seen.outcomes_of_sent(), {"reply"})
        self.assertGreater(counts["probe"]["200"], 0)
        for status in counts["broken"]:
            self.assertNotIn(status, ("200", "500"))
        if processes.FULL:
            self.assertEqual(missed, 0)
        if processes.FULL and not WINE:
            self.assertLess(max(scrapes.seconds), 1)


class KillTest(Case):
    def test_starts_after_every_sudden_end(self):
        config = exporter.group("g", interval="10ms", destinations=["10.213.1.0/28"])
        for number in range(KILLS):
            with self.subTest(number=number), contextlib.ExitStack() as life:
                daemon = exporter.Exporter(config)
                life.enter_context(daemon)
                life.callback(daemon.kill)
                seen = daemon.wait_until("replies", lambda seen: seen.outcomes().get("reply"))
                self.assert_accounts(seen)
                life.pop_all()
                daemon.kill()


class FlatTest(Case):
    def test_memory_and_handles_stay_as_they_are(self):
        interval = 0.2 if WINE else 0.05
        config = exporter.group(
            "g", interval=f"{interval * 1000:.0f}ms", destinations=["10.213.1.0/24"]
        )
        with exporter.Exporter(config) as daemon:

            def after(outcomes):
                seen = daemon.wait_until(
                    "outcomes",
                    lambda seen: daemon.get("/probe?target=10.213.1.1")[0] == 200
                    and seen.finished() >= outcomes,
                )
                self.assert_accounts(seen)
                return resident(daemon), handles(seen, daemon), pool_threads(daemon)

            before, after = after(PROBES * 0.2), after(PROBES * 1.2)
        report(f"[MiB, handles: {before} to {after}]")
        self.assertLess(after[0], before[0] + 4)
        # Those of threads that serve clients or complete requests, at most; and on Windows an event
        # of each request that was in flight at once, as many may be on a slow machine.
        self.assertLess(after[1], before[1] + 32 + (REQUESTS_OF_WINE if WINE else 0))


def handles(seen, daemon):
    if not WINE:
        return seen.value("process_open_fds")
    out = processes.work_file("handles")
    with open(out, "wb") as file:
        subprocess.run(
            [exporter.WINE, network.HANDLE_COUNT, exporter.PROGRAM.name],
            env={**os.environ, **exporter.environment()},
            stdin=subprocess.DEVNULL,
            stdout=file,
            timeout=processes.PATIENCE,
            check=True,
        )
    return int(out.read_text())


class ReloadTest(Case):
    def test_memory_stays_as_it_is(self):
        stays = exporter.group(
            "stays", interval="100ms", timeout="10s", destinations=["10.213.1.1"]
        )
        one = stays + exporter.group("one", interval="20ms", destinations=["10.213.1.0/26"])
        two = stays + exporter.group(
            "two", interval="50ms", destinations=["10.213.1.32/27", "10.213.4.0/28"]
        )
        with exporter.Exporter(one) as daemon:
            header = daemon.config_file.read_text().removesuffix(one)
            sizes = []
            for number, config in zip(range(RELOADS), itertools.cycle((two, one))):
                daemon.config_file.write_text(header + config)
                status, text = exporter.get("/-/reload", method="POST")
                self.assertEqual(status, 200, text)
                if number % (RELOADS // 100) == 0:
                    seen = daemon.scrape()
                    self.assert_accounts(seen)
                    sizes.append(resident(daemon))
            self.assertEqual(seen.outcomes_of_sent(group="stays"), {"reply"})
            workers = pool_threads(daemon)
        # A worker more would be one that a callback never gave back.
        self.assertLessEqual(workers, REQUESTS_OF_WINE)
        third = len(sizes) // 3
        report(f"[MiB {sizes[third]:.1f} to {sizes[-1]:.1f}, {workers} workers]")
        self.assertLess(max(sizes[-third:]), max(sizes[third : 2 * third]) + 4)


class FullDiskTest(Case):
    def test_probing_goes_on_without_room_for_the_log(self):
        disk = processes.work_file("disk")
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=True)
        ballast, log = disk / "ballast", disk / "echo.log"
        config = exporter.group("g", interval="100ms", destinations=["10.213.1.0/28"])
        with exporter.Exporter(config, f"--log.file={log}") as daemon:
            daemon.wait_until("all up", lambda seen: seen.total("icmp_echo_up") == 14)
            with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            self.addCleanup(network.ip, "link", "set", network.DEVICE, "up")

            def reloaded_until(condition):
                """Each reload is a line of the log."""

                def reload():
                    status, text = exporter.get("/-/reload", method="POST")
                    self.assertEqual(status, 200, text)
                    return condition()

                return reload

            # What finds no room is where it would be without the option.
            elsewhere = reloaded_until(lambda: "configuration reloaded" in daemon.log_so_far())
            processes.wait_for("lines on standard error", elsewhere)
            for state, up in (("down", 0), ("up", 14)):
                network.ip("link", "set", network.DEVICE, state)
                seen = daemon.wait_until(
                    f"all {state}", lambda seen, up=up: seen.total("icmp_echo_up") == up
                )
                self.assert_accounts(seen)
            missed = seen.total("echo_exporter_schedule_missed_total")
            report(f"[missed {missed:.0f}]")
            if processes.FULL:
                self.assertEqual(missed, 0)
            ballast.unlink()
            before = log.read_text()
            again = reloaded_until(lambda: len(log.read_text()) > len(before))
            processes.wait_for("lines in the file again", again)


class SoakTest(Case):
    def test_everything_at_once(self):
        stays = ON_DEMAND_CONFIG + exporter.group(
            "stays",
            interval=f"{200 * SOAK_PACE}ms",
            timeout="300ms",
            destinations=[
                *("10.213.1.0/26", "10.213.2.25", "10.213.2.250", "10.213.4.1", "10.213.5.1"),
                *("10.213.6.1", "10.213.7.1", "10.213.10.1", "10.213.20.8", "localhost"),
            ],
        )
        one = exporter.group("one", interval=f"{50 * SOAK_PACE}ms", destinations=["10.213.1.0/27"])
        two = exporter.group("two", interval=f"{100 * SOAK_PACE}ms", destinations=["10.213.4.0/27"])
        configs = [stays + one, stays + two, stays + "[[group]]\nname = 1\n"]
        log = processes.work_file("log") / "echo.log"
        options = (f"--log.file={log}", "--log.file.max-size=64KiB", "--log.level=debug")
        hostile = exporter.HostileClients(*CLIENTS, ON_DEMAND_PATH, PROBE_PAUSE)
        with exporter.Exporter(configs[0], *options) as daemon, hostile as clients:
            header = daemon.config_file.read_text().removesuffix(configs[0])
            scrapes = Scrapes(daemon)
            sizes, requests = [], 0
            end = time.monotonic() + SOAK_SECONDS
            for number in itertools.count():
                if number >= SOAK_ROUNDS and time.monotonic() > end:
                    break
                config = configs[number % 3]
                daemon.config_file.write_text(header + config)
                status, _ = exporter.get("/-/reload", method="POST")
                self.assertEqual(status, 500 if config is configs[2] else 200)
                network.ip("link", "set", network.DEVICE, "down" if number % 10 == 5 else "up")
                for _ in range(10 if processes.FULL else 3):
                    text = scrapes.take()
                    time.sleep(0.05)
                seen = scrape.Scrape.parse(text)
                self.assert_accounts(seen)
                sizes.append(resident(daemon))
                before = requests
                seen = daemon.wait_until(
                    "probing goes on",
                    lambda seen, before=before: seen.total(
                        "icmp_echo_requests_total", group="stays"
                    )
                    > before,
                )
                requests = seen.total("icmp_echo_requests_total", group="stays")
            network.ip("link", "set", network.DEVICE, "up")
            seen = daemon.wait_until(
                "all up again",
                lambda seen: seen.total("icmp_echo_up", group="stays") >= 60,
            )
            self.assert_accounts(seen)
            scrapes.report()
            report(f"[MiB {sizes[len(sizes) // 3]:.0f} to {sizes[-1]:.0f}]")
            report(f"{clients.counts()} {seen.outcomes()}")
        if processes.FULL and not exporter.SANITIZED:
            self.assertLess(sizes[-1], max(sizes[: len(sizes) // 3]) + 16)
