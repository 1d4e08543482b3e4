"""A network in which everything happens at once, and which loses nothing that the exporter counts.

Routers redirect and forward, a router changes its uplink, the name server dies and comes back with
other addresses, an adapter is removed and made again, the configuration is reloaded, also with one
that is wrong, and clients are hostile. At every scrape each request has its one outcome, whatever is
always answered has nothing but replies, and in between so has what was disturbed.

In a run of all tests this is short; tests/bench/soak_linux runs it for millions of requests.
"""

import collections
import itertools
import os
import time
import unittest

import exporter
import expectations
import name_server
import network
import processes
import scrape
import test_routers

REQUESTS = int(os.environ.get("ECHO_EXPORTER_SOAK_REQUESTS", "100000"))
# From so many on it is known what memory is used for.
FLAT_FROM = 1_000_000
MIB = 1024 * 1024

WELL = [f"10.213.1.{host}" for host in range(1, 127)]
WELL6 = [f"fd00:213::1:{host}" for host in range(1, 61)]
WARNED = [*(f"10.213.14.{code}" for code in range(4)), "10.213.15.1"]
WARNED += [f"10.213.16.{host}" for host in range(1, 11)]
NAMES = [f"n{number}.example" for number in range(10)]
DEAD_NAMES = [f"dead{number}.example" for number in range(30)]
# Of an adapter that comes and goes, and of what is behind it.
ADAPTER, OTHER_END = "come0", "come1"
PLUGGED = {"10.98.0.1/24": "10.98.0.2", "fd00:98::1/64": "fd00:98::2"}
ON_DEMAND = "10.213.2.100"  # nobody else's
CLIENTS = (200, 20, 10)

# What may become of the requests of a group; anything of those that are disturbed.
EXPECTED = {
    **dict.fromkeys(("well", "well6", "slow", "warned", "fresh", "named", "comes"), {"reply"}),
    "twice": {"reply"},
    "silent": {"timeout"},
    "late": {"timeout"},
    "half": {"reply", "timeout"},
    "no host": {"host_unreachable"},
    "no port": {"port_unreachable"},
}
DISTURBED = ("nat", "plugged")
# Each request of theirs is sent, and is the only one to its destination.
COUNTED = ("well", "well6", "slow", "warned", "fresh", "twice", "silent", "late", "half", "no host")

SETTINGS = f"""
[metrics]
rtt_buckets = [1]
[engine]
max_in_flight = 65000
[probe]
max_concurrent = 64
[defaults]
interval = "100ms"
timeout = "10s"
dns_refresh = "1s"
[sources]
device = {{ interface = "{network.DEVICE}" }}
plugged = {{ interface = "{ADAPTER}" }}
"""


def load_tests(_loader, tests, _pattern):
    return tests if expectations.here(expectations.ROBUSTNESS) else unittest.TestSuite()


def stays():
    """The groups that are in all configurations."""
    brief = {"timeout": "300ms"}
    groups = {
        "well": {"sources": ["auto", network.OTHER_SOURCE], "destinations": WELL},
        "well6": {"sources": ["auto", network.OTHER_SOURCE6], "destinations": WELL6},
        "slow": {"destinations": ["10.213.2.25", "10.213.2.250", "10.213.3.60"]},
        "warned": {"destinations": WARNED},
        "fresh": {"destinations": ["10.213.1.200", "fd00:213::1:200"], "flow": "fresh"},
        "named": {"destinations": NAMES + DEAD_NAMES},
        "twice": {"destinations": ["10.213.7.1", "fd00:213::7:1"]},
        "silent": {"destinations": ["10.213.4.1", "fd00:213::4:1"], **brief},
        "late": {"destinations": ["10.213.6.1", "fd00:213::6:1"], **brief},
        "half": {"destinations": ["10.213.5.1"], **brief},
        "no host": {"destinations": ["10.213.128.1", "fd00:213::128:1"]},
        "no port": {"destinations": ["10.213.10.3"]},
        "nat": {"destinations": test_routers.HOSTS, "timeout": "1s"},
        "plugged": {
            "sources": ["plugged"],
            "destinations": list(PLUGGED.values()),
            "timeout": "1s",
        },
    }
    for name in ("well", "well6", "warned"):
        groups[name]["interval"] = "50ms"
    return SETTINGS + "".join(exporter.group(name, **keys) for name, keys in groups.items())


def comes(**keys):
    return exporter.group("comes", interval="50ms", sources=["device", "auto"], **keys)


def by_label(seen, name, label, groups=()):
    """{value of the label: {outcome or "": total of the series}}, of these groups or of all."""
    totals = collections.defaultdict(collections.Counter)
    for labels, value in seen.series(name):
        if not groups or labels["group"] in groups:
            totals[labels[label]][labels.get("outcome", "")] += value
    return totals


class Soak:
    """An exporter that is reloaded and looked at again and again, and what was seen."""

    def __init__(self, daemon, configs, allocated):
        self._daemon = daemon
        self._allocated = allocated  # the file that tells, with the address sanitizer
        self._header = daemon.config_file.read_text().removesuffix(configs[0])
        self._configs = itertools.cycle(configs)
        self._looks = itertools.count()
        self.statuses = collections.Counter()  # of reloads and of probes
        self.sizes = []  # (requests, bytes) of each scrape
        self.begun = time.monotonic()
        self.last = None

    def look(self):
        """Scrapes, and fails when anything is wrong; returns the scrape."""
        number = next(self._looks)
        if number % 3 == 2:
            self._reload()
        if number % 5 == 0:
            self._probe()
        seen = self._daemon.scrape()
        if errors := scrape.accounting_errors(seen):
            raise AssertionError(errors)
        for group, outcomes in by_label(seen, "icmp_echo_outcomes_total", "group").items():
            have = {outcome for outcome, count in outcomes.items() if count}
            if group not in DISTURBED and not have <= EXPECTED[group]:
                raise AssertionError(f"{group}: {dict(outcomes)}")
        if drops := seen.value("echo_exporter_receive_drops_total"):
            raise AssertionError(f"{drops} packets did not fit into a receive buffer")
        self.sizes.append((self.requests(seen), self._memory(seen)))
        self.last = seen
        time.sleep(0.2)
        return seen

    def wait_until(self, what, condition):
        def look():
            seen = self.look()
            return seen if condition(seen) else None

        return processes.wait_for(what, look)

    @staticmethod
    def requests(seen):
        """Of the groups that stay."""
        totals = by_label(seen, "icmp_echo_requests_total", "group")
        return sum(total[""] for group, total in totals.items() if group != "comes")

    def _memory(self, seen):
        """In bytes. Resident memory includes what a sanitizer keeps, of each thread that ever was."""
        if exporter.SANITIZED:
            return int(self._allocated.read_text(encoding="ascii"))
        return seen.value("process_resident_memory_bytes")

    def _reload(self):
        self._daemon.config_file.write_text(self._header + next(self._configs))
        self.statuses["reload", exporter.get("/-/reload", method="POST")[0]] += 1

    def _probe(self):
        source = network.SOURCE6 if self.statuses.total() % 2 else network.OTHER_SOURCE6
        status, text = self._daemon.get(f"/probe?target=fd00:213::1:250&source={source}")
        if status == 200 and "\nprobe_success 1\n" not in text:
            raise AssertionError(text)
        self.statuses["probe", status] += 1

    def row(self):
        """A row of the table that tells of it."""
        seconds = time.monotonic() - self.begun
        requests = self.requests(self.last)
        statuses = ", ".join(
            f"{count} {what} {status}" for (what, status), count in sorted(self.statuses.items())
        )
        missed = ", ".join(
            f"{labels['reason']} {value:.0f}"
            for labels, value in self.last.series("echo_exporter_schedule_missed_total")
            if value
        )
        return {
            "sockets": network.SOCKETS,
            "requests": f"{requests:.0f}",
            "a second": f"{requests / seconds:.0f}",
            "seconds": f"{seconds:.0f}",
            "scrapes, each exact": len(self.sizes),
            "reloads and probes": statuses,
            "missed ticks": missed,
            f"{'allocated' if exporter.SANITIZED else 'resident'} MiB, most in each third": " / ".join(
                f"{size / MIB:.1f}" for size in self.thirds()
            ),
        }

    def thirds(self):
        """The most memory in each third of the requests."""
        end = self.sizes[-1][0]
        most = [0, 0, 0]
        for requests, size in self.sizes:
            third = min(int(3 * requests / end), 2)
            most[third] = max(most[third], size)
        return most


class SoakTest(test_routers.Routed):
    def setUp(self):
        super().setUp()
        self.net = self.enterContext(network.ScriptedNetwork(late_ms=700))
        self.names = self.enterContext(name_server.NameServer(dict.fromkeys(DEAD_NAMES)))
        self.uplinks = itertools.cycle(reversed(test_routers.UPLINKS))
        self.addCleanup(network.ip, "link", "delete", ADAPTER)
        self.plug_in()
        self.move_names(0)

    def plug_in(self):
        ends = f"type veth peer name {OTHER_END} netns far"
        network.ip(*f"link add {ADAPTER} {ends}".split())
        network.ip(*f"-n far link set {OTHER_END} up".split())
        network.ip("link", "set", ADAPTER, "up")
        for ours, other in PLUGGED.items():
            options = ["nodad"] if ":" in ours else []
            other = f"{other}/{ours.split('/')[1]}"
            network.ip("-n", "far", "address", "add", other, "dev", OTHER_END, *options)
            network.ip("address", "add", ours, "dev", ADAPTER, *options)

    def move_names(self, number):
        hosts = range(210 + 10 * (number % 2), 220 + 10 * (number % 2))
        self.names.names.update((n, f"10.213.1.{h}") for n, h in zip(NAMES, hosts))

    def names_have_moved(self, seen):
        have = {
            labels["destination"]: labels["destination_address"]
            for labels, _ in seen.series("icmp_echo_pair_info", group="named")
        }
        return have == {name: self.names.names[name] for name in NAMES}

    def test_everything_at_once_loses_nothing(self):
        configs = [
            stays() + comes(destinations=[f"10.213.2.{ms}" for ms in range(1, 20)]),
            stays() + comes(destinations=[f"10.213.2.{ms}" for ms in range(10, 24)], tos=184),
            stays(),
            stays() + "[[group]]\nname = 1\n",
        ]
        asan = "quarantine_size_mb=8:thread_local_quarantine_size_kb=64:malloc_context_size=4"
        allocated = processes.work_file("allocated")
        env = {"ASAN_OPTIONS": asan}
        if exporter.SANITIZED:
            env |= {"LD_PRELOAD": network.ALLOCATED_BYTES, "ALLOCATED_BYTES": allocated}
        daemon = exporter.Exporter(configs[0], env={k: str(value) for k, value in env.items()})
        hostile = exporter.HostileClients(*CLIENTS, f"/probe?target={ON_DEMAND}")
        with daemon, hostile:
            soak = Soak(daemon, configs, allocated)
            soak.wait_until("all are up", self.is_well)
            for number in itertools.count(1):
                self.disturb(soak, number)
                self.check_calm(soak)
                self.check_network(soak)
                if soak.requests(soak.last) >= REQUESTS:
                    break
            wanted = {("reload", 200), ("reload", 500), ("probe", 200)}
            soak.wait_until("reloads of each kind", lambda _: wanted <= set(soak.statuses))
            row = soak.row() | {"disturbances": number, "clients": hostile.counts()}
        print("\n| what | |\n|---|---|")
        for what, value in row.items():
            print(f"| {what} | {value} |", flush=True)
        self.assertLessEqual(set(soak.statuses), wanted | {("probe", 503)})
        if REQUESTS >= FLAT_FROM:
            _, middle, last = soak.thirds()
            self.assertLess(last, middle + 4 * MIB)

    def is_well(self, seen):
        """Whether everything is up that is up when nothing is disturbed."""
        return (
            seen.total("icmp_echo_up", group="nat") == len(test_routers.HOSTS)
            and seen.total("icmp_echo_up", group="plugged") == len(PLUGGED)
            and self.names_have_moved(seen)
        )

    def disturb(self, soak, number):
        """An uplink, the name server and an adapter fail, and come back."""
        renewals = "icmp_echo_flow_renewals_total"
        before = soak.look().total(renewals, group="nat")
        self.use_uplink(next(self.uplinks))
        network.ip("link", "delete", ADAPTER)
        self.names.ignored.clear()
        self.names.alive = False
        self.move_names(number)
        soak.wait_until(
            "failures",
            lambda seen: seen.total("icmp_echo_up", group="plugged") == 0
            and seen.total(renewals, group="nat") >= before + len(test_routers.HOSTS)
            and self.names.ignored.issuperset(NAMES),
        )
        self.plug_in()
        self.names.alive = True
        soak.wait_until("all are up again", self.is_well)

    def check_calm(self, soak):
        """What has recovered has nothing but replies."""
        # Those that were under way when it recovered have ended after 1 s, their timeout.
        begun = soak.look()
        before = soak.wait_until("earlier requests have ended", grown_since(begun, 20))
        after = soak.wait_until("more requests", grown_since(before, 10))
        for group in DISTURBED:
            self.assertEqual(
                {**after.outcomes(group=group), "reply": 0},
                {**before.outcomes(group=group), "reply": 0},
                group,
            )

    def check_network(self, soak):
        """The network has seen what ended by the scrape before, and nothing that was not sent."""
        ended = by_label(soak.look(), "icmp_echo_outcomes_total", "destination", COUNTED)
        stats = self.net.stats()
        sent = by_label(soak.look(), "icmp_echo_requests_total", "destination", COUNTED)
        for destination, requests in sent.items():
            seen = stats.get(destination, {"requests": 0})["requests"]
            self.assertGreaterEqual(seen, ended[destination].total(), destination)
            self.assertLessEqual(seen, requests.total(), destination)


def grown_since(before, count):
    """Whether each pair of the groups that are disturbed has ended so many requests more."""

    def has_grown(seen):
        return all(
            seen.finished(destination=destination)
            >= before.finished(destination=destination) + count
            for destination in (*test_routers.HOSTS, *PLUGGED.values())
        )

    return has_grown
