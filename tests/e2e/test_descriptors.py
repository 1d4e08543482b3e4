"""What this host lacks or allows is no fault of the network: a process without file descriptors, many
sources, and sources that others may send from."""

import http.client
import itertools
import os
import pathlib
import resource
import subprocess
import time
import unittest

import expectations
import exporter
import network
import processes
import scrape

MOST_SOCKETS = 256  # IcmpSockets::kMostSockets
ABSENT = ["192.0.2.77", "2001:db8::77"]


def load_tests(_loader, tests, _pattern):
    return tests if expectations.here(expectations.ROBUSTNESS) else unittest.TestSuite()


def setUpModule():
    unittest.enterModuleContext(network.ScriptedNetwork())


def group(name, **keys):
    return exporter.group(name, **{"interval": "100ms", "timeout": "10s", **keys})


class Famine:
    """Inside of the `with` block the daemon can open nothing, not even a client's connection.

    What it tells then comes by a connection from before.
    """

    def __init__(self, daemon):
        self._pid = daemon.process.pid
        self._client = http.client.HTTPConnection(daemon.address, timeout=processes.PATIENCE)
        self._before = None

    def __enter__(self):
        self.get("/metrics")
        used = {int(number) for number in os.listdir(f"/proc/{self._pid}/fd")}
        free = next(number for number in itertools.count() if number not in used)
        self._before = resource.prlimit(self._pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, (free, self._before[1]))
        return self

    def __exit__(self, *_):
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, self._before)
        self._client.close()

    def get(self, path):
        self._client.request("GET", path)
        response = self._client.getresponse()
        return response.status, response.read().decode()

    def wait_until(self, what, condition):
        def look():
            # The server ends a connection after 100 requests, and would not get another one.
            time.sleep(0.25)
            seen = scrape.Scrape.parse(self.get("/metrics")[1])
            return seen if condition(seen) else None

        return processes.wait_for(what, look)


@unittest.skipIf(exporter.SANITIZED, "looking at a type takes the sanitizer a pipe")
class FamineTest(unittest.TestCase):
    def test_nothing_is_charged_to_the_network(self):
        config = f'[sources]\nadapter = {{ interface = "{network.DEVICE}" }}\n'
        config += group("well", sources=["adapter"], destinations=["10.213.1.1", "fd00:213::1:1"])
        config += group("slow", sources=[network.SOURCE], destinations=["10.213.3.20"])
        # Without descriptors nobody can tell whether it is the source that is wrong.
        config += group("absent", sources=ABSENT[:1], destinations=["10.213.1.1"])
        config += group("unroutable", sources=[network.SOURCE], destinations=["203.0.113.9"])
        failures = "echo_exporter_resolve_failures_total"
        doubtful = {"absent": "bad_source", "unroutable": "net_unreachable"}
        with exporter.Exporter(config) as daemon:
            daemon.wait_until("outcomes", lambda seen: all_grown(seen, 5))
            with Famine(daemon) as famine:
                begun = famine.wait_until(
                    "want of descriptors",
                    lambda seen: all(
                        seen.outcomes(group=name).get("no_resources", 0) > 3 for name in doubtful
                    ),
                )
                seen = famine.wait_until(
                    "adapters that cannot be read",
                    lambda seen: seen.value(failures) >= (begun.value(failures) or 0) + 2
                    and all_grown(seen, 20, begun),
                )
                status, text = famine.get(
                    f"/probe?target=fd00:213::1:2&source={network.OTHER_SOURCE6}"
                )
                self.assertEqual(status, 503, text)
                self.assertIn("no_resources", text)
            for name in ("well", "slow"):
                self.assertEqual(set(seen.outcomes(group=name)), {"reply"})
            for name, outcome in doubtful.items():
                self.assertEqual(
                    {**seen.outcomes(group=name), "no_resources": 0},
                    {**begun.outcomes(group=name), "no_resources": 0},
                )
                daemon.wait_until(
                    f"{outcome} again",
                    lambda after, name=name, outcome=outcome: after.outcomes(group=name)[outcome]
                    > seen.outcomes(group=name)[outcome] + 3,
                )
            after = daemon.wait_until("replies", lambda after: all_grown(after, 20, seen))
            # The probe may have taken the place of a socket.
            self.assertLessEqual(set(after.outcomes(group="well")), {"reply", "no_resources"})
            self.assertEqual(set(after.outcomes(group="slow")), {"reply"})
            self.assertEqual(scrape.accounting_errors(after), [])
            status, text = daemon.get(f"/probe?target=fd00:213::1:2&source={network.OTHER_SOURCE6}")
            self.assertEqual(status, 200, text)
            self.assertIn("\nprobe_success 1\n", text)

    def test_fresh_flows_go_on_without_sockets_of_their_own(self):
        config = group("g", flow="fresh", destinations=["10.213.1.3", "fd00:213::1:3"])
        with exporter.Exporter(config) as daemon:
            daemon.wait_until("outcomes", lambda seen: all_grown(seen, 5))
            with Famine(daemon) as famine:
                begun = famine.wait_until("a scrape", lambda seen: True)
                seen = famine.wait_until("more", lambda seen: all_grown(seen, 30, begun))
            self.assertEqual(set(seen.outcomes()), {"reply"})
            self.assertEqual(scrape.accounting_errors(seen), [])


def all_grown(seen, count, since=None):
    """Whether each group had so many outcomes more than in the scrape `since`."""
    groups = {labels["group"] for labels, _ in seen.series("icmp_echo_requests_total")}
    return all(
        seen.finished(group=name) > count + (since.finished(group=name) if since else 0)
        for name in groups
    )


class SourcesTest(unittest.TestCase):
    def test_probes_from_many_sources_do_not_use_up_descriptors(self):
        sources = [f"fd00:213::f:{number:x}" for number in range(1, MOST_SOCKETS + 65)]
        self.addCleanup(change_addresses, "delete", sources)
        change_addresses("add", sources)
        with exporter.Exporter("") as daemon:
            before = daemon.scrape().value("process_open_fds")
            for source in sources:
                status, text = daemon.get(f"/probe?target=fd00:213::1:4&source={source}")
                self.assertEqual(status, 200, text)
                self.assertIn("\nprobe_success 1\n", text, source)
            after = daemon.scrape().value("process_open_fds")
        print(f"[{before:.0f} to {after:.0f} descriptors]", end=" ", flush=True)
        # Those of connections and lookups besides.
        self.assertLess(after, before + MOST_SOCKETS + 32)

    def test_an_absent_source_is_a_bad_source_where_anybody_may_send_from_it(self):
        for version in ("ipv4", "ipv6"):
            allowed = pathlib.Path(f"/proc/sys/net/{version}/ip_nonlocal_bind")
            self.addCleanup(allowed.write_text, allowed.read_text())
            allowed.write_text("1")
        destinations = ["10.213.1.5", "fd00:213::1:5", "203.0.113.9", "2001:db8:1::9"]
        config = group("absent", sources=ABSENT, destinations=destinations)
        config += group("present", sources=["auto", network.OTHER_SOURCE, network.OTHER_SOURCE6],
                        destinations=destinations[:2])
        with exporter.Exporter(config) as daemon:
            seen = daemon.wait_until("outcomes", lambda seen: all_grown(seen, 100))
        for source in ABSENT:
            self.assertEqual(set(seen.outcomes(source=source)), {"bad_source"})
        self.assertEqual(set(seen.outcomes(group="present")), {"reply"})
        self.assertEqual(scrape.accounting_errors(seen), [])


def change_addresses(how, addresses):
    lines = [
        f"address {how} {address}/128 dev {network.DEVICE} nodad"
        if how == "add"
        else f"address {how} {address}/128 dev {network.DEVICE}"
        for address in addresses
    ]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
