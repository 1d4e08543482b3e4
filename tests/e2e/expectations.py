"""What must become of an echo request to each kind of address, on each platform.

A platform is a column: `wine` is the Windows executable under Wine 8, `linux` the native one. A row
says what every platform should report, and `differs` where one does not, each time with the reason.
"""

import dataclasses

import exporter
import network
import processes

WINE_PROHIBITED = "the Windows API has no status of its own for `administratively prohibited`"
WINE_CHECKSUM = "Wine reads a raw socket, before the kernel checks, and does not check either"
WINE_IPV6 = "Wine 8 has no IPv6 echo, and nothing is sent"
WINE_SOURCE = "Wine 8 ignores the source address"
WINE_DONT_FRAGMENT = "Wine 8 ignores the flag, and Linux sets it in every packet"
LINUX_REASSEMBLY = "the kernel keeps it for itself (icmp_unreach() of net/ipv4/icmp.c)"
WINE_LIMITS = "Wine 8 serves 240 requests at once and tells no stray replies"
WINDOWS_TOS = "the Windows API ignores the type of service"
WINE_FAILURE = "Wine 8 reports every failure to send as a general failure"


@dataclasses.dataclass(frozen=True)
class Row:
    address: str
    answer: str
    outcomes: set  # that appear in the long run; empty: nothing is ever sent
    delay: float = 0.0  # of replies, in seconds
    reply_ttl: int = 64
    group: str = "plan"
    differs: dict = dataclasses.field(default_factory=dict)  # platform: (outcomes, reason)

    def expected(self):
        """The outcomes on the platform under test."""
        return self.differs.get(exporter.PLATFORM, (self.outcomes, None))[0]


def _reply(address, answer, delay=0.0, **more):
    return Row(address, answer, {"reply"}, delay, **more)


def _no_ipv6(address, answer, outcome, delay=0.0):
    return Row(address, answer, {outcome}, delay, differs={"wine": (set(), WINE_IPV6)})


def _prohibited(code, wine):
    differs = {"wine": ({wine}, WINE_PROHIBITED)}
    return Row(f"10.213.10.{code}", f"unreachable, code {code}", {"prohibited"}, differs=differs)


ROWS = [
    _reply("10.213.1.1", "at once"),
    _reply("10.213.2.1", "after 1 ms", 0.001),
    _reply("10.213.2.5", "after 5 ms", 0.005),
    _reply("10.213.2.25", "after 25 ms", 0.025),
    _reply("10.213.2.100", "after 100 ms", 0.1),
    _reply("10.213.3.60", "after 600 ms, longer than the interval", 0.6),
    Row("10.213.2.200", "after 200 ms, of which 50 are allowed", {"timeout"}, group="hurried"),
    Row("10.213.4.1", "never", {"timeout"}),
    Row("10.213.5.1", "every second request", {"reply", "timeout"}),
    Row("10.213.6.1", "late", {"timeout"}),
    _reply("10.213.7.1", "twice"),
    Row("10.213.10.0", "net unreachable", {"net_unreachable"}),
    Row("10.213.10.1", "host unreachable", {"host_unreachable"}),
    Row("10.213.10.2", "protocol unreachable", {"protocol_unreachable"}),
    Row("10.213.10.3", "port unreachable", {"port_unreachable"}),
    Row("10.213.10.4", "fragmentation needed", {"packet_too_big"}),
    Row("10.213.10.5", "source route failed", {"net_unreachable"}),
    _prohibited(9, wine="net_unreachable"),
    _prohibited(10, wine="host_unreachable"),
    _prohibited(13, wine="host_unreachable"),
    Row("10.213.11.0", "TTL exceeded in transit", {"ttl_expired"}),
    Row(
        "10.213.11.1",
        "reassembly time exceeded",
        {"ttl_expired"},
        differs={"linux": ({"timeout"}, LINUX_REASSEMBLY)},
    ),
    Row("10.213.12.0", "larger than a path's MTU", {"packet_too_big"}),
    Row("10.213.13.0", "parameter problem", {"other"}),
    Row("10.213.20.1", "payload a byte short", {"corrupt_reply"}),
    Row("10.213.20.255", "without payload", {"corrupt_reply"}),
    Row("10.213.21.3", "payload byte changed", {"corrupt_reply"}),
    Row(
        "10.213.22.1",
        "wrong checksum",
        {"timeout"},
        differs={"wine": ({"reply"}, WINE_CHECKSUM)},
    ),
    _reply("10.213.23.57", "with TTL 57", reply_ttl=57),
    _reply("10.213.23.255", "with TTL 255", reply_ttl=255),
    Row("10.213.24.1", "from another host", {"corrupt_reply"}),
    Row("10.213.25.1", "another identifier", {"timeout"}),
    Row("10.213.99.1", "not in the plan: silent", {"timeout"}),
    _no_ipv6("fd00:213::1:1", "at once", "reply"),
    _no_ipv6("fd00:213::2:25", "after 25 ms", "reply", 0.025),
    _no_ipv6("fd00:213::4:1", "never", "timeout"),
    _no_ipv6("fd00:213::7:1", "twice", "reply"),
    _no_ipv6("fd00:213::10:0", "no route", "net_unreachable"),
    _no_ipv6("fd00:213::10:1", "prohibited", "prohibited"),
    _no_ipv6("fd00:213::10:3", "address unreachable", "host_unreachable"),
    _no_ipv6("fd00:213::10:4", "port unreachable", "port_unreachable"),
    _no_ipv6("fd00:213::11:0", "hop limit exceeded", "ttl_expired"),
    _no_ipv6("fd00:213::12:0", "larger than a path's MTU", "packet_too_big"),
    _no_ipv6("fd00:213::13:0", "parameter problem", "other"),
    _no_ipv6("fd00:213::20:1", "payload a byte short", "corrupt_reply"),
    _no_ipv6("fd00:213::21:3", "payload byte changed", "corrupt_reply"),
]

# Other things that depend on the platform: {platform: (value, reason)}.
ABSENT_SOURCE = {
    "linux": ("bad_source", "nothing can be sent from an address of another host"),
    "wine": ("reply", WINE_SOURCE),
}
SOURCE_ON_THE_WIRE = {
    "linux": (True, "requests leave with the configured address"),
    "wine": (False, WINE_SOURCE),
}
MECHANISMS = {
    "linux": (
        {version: network.SOCKETS + "_socket" for version in ("4", "6")},
        "the kind of socket that the namespace allows",
    ),
    "wine": ({"4": "icmp_api"}, WINE_IPV6),
}
IPV6 = {
    "linux": (True, "as any other version"),
    "wine": (False, WINE_IPV6),
}
TOS = {
    "linux": (True, "requests leave with the configured type of service"),
    "wine": (False, WINDOWS_TOS),
}
FRAGMENTS_ALLOWED = {
    "linux": (True, "requests leave without DF unless dont_fragment is set"),
    "wine": (False, WINE_DONT_FRAGMENT),
}
ROBUSTNESS = {
    "linux": (True, "everything that test_robustness.py shows can be shown"),
    "wine": (False, WINE_LIMITS),
}
DEVICE_DOWN = {
    "linux": ("net_unreachable", "there is no route"),
    "wine": ("general_failure", WINE_FAILURE),
}


def here(by_platform):
    """The value for the platform under test."""
    return by_platform[exporter.PLATFORM][0]


def sent_rows():
    """The rows to whose addresses this platform sends."""
    return [row for row in ROWS if row.expected()]


def plan_config():
    """A configuration that probes the addresses of all rows, the source "auto"."""
    groups = {}
    for row in ROWS:
        groups.setdefault(row.group, []).append(row.address)
    hurried = groups.pop("hurried")
    lines = [
        "[metrics]",
        f"rtt_buckets = {sorted({bound for row in ROWS for bound in rtt_bounds(row)} - {0})}",
        # Not a part of Prometheus's second: a scrape then sees every phase of what alternates.
        '[defaults]\ninterval = "230ms"\ntimeout = "1s"',
        exporter.group("plan", destinations=groups.pop("plan"), labels=LABELS),
        exporter.group("hurried", destinations=hurried, timeout="50ms"),
    ]
    assert not groups, groups
    return "\n".join(lines) + "\n"


# Text that would break a careless exposition.
LABELS = {"site": 'a "quoted" \\back\\slash, {brace}, \u00fcml\u00e4ut', "team": ""}

RTT_TOLERANCE = 0.003  # seconds


def rtt_bounds(row):
    """The least and the most that a round-trip time to this address should be."""
    return (round(max(0, row.delay - RTT_TOLERANCE), 6), round(row.delay + RTT_TOLERANCE, 6))


def assert_rtt_of(test, delay, seconds, most=1.1):
    """One round trip, or the median of some: never shorter than the delay, but for what a sketch
    rounds, and at most so many times as long where the machine does nothing else."""
    test.assertGreaterEqual(seconds, 0.9 * delay)
    test.assertLess(seconds, (most if processes.FULL else 10) * delay)
