"""The queries that dashboards of other exporters ask, with what the recorded exposition answers."""

import json
import math
import urllib.parse
import urllib.request

# Each entry: (what asks it, expression, labels, {their values: value of the sample}). A label that
# a series must not have is None. Values under a title in GROWS are times the scrapes so far.
NAN = math.nan
DNS = 'host="dns.example.net"'
REQUESTS = "smokeping_requests_total{%s}"
DURATION = "smokeping_response_duration_seconds_%s{%s}"
LOST = f"({REQUESTS % DNS} - {DURATION % ('count', DNS)})"
QUANTILE = f"histogram_quantile(%s, rate({DURATION % ('bucket', '')}[1m]))"
BOUNDS = ["5e-05", *(str(round(0.0001 * 2**i, 4)) for i in range(19)), "+Inf"]
GROWS = {"$target", "Panel: loss, count", "duplicates", "send errors"}


def _whole(job, recorded="recorded"):
    """The entry for: no two series have become one, and nothing is there but what is renamed."""
    return (
        "whole",
        f'scrape_samples_post_metric_relabeling{{job="{job}"}} - on (job) count by (job)'
        f' ({{job="{job}",__name__=~"smokeping_.+|process_.+|probe_.+",__name__!="{recorded}"}})',
        (),
        {(): 0},
    )


# Variables, panels and recording rules are those that smokeping_prober publishes.
SMOKEPING = [
    ("$prober", "smokeping_prober_build_info", ("version", "instance"), {("1.0.0", "EXPORTER"): 1}),
    (
        "$target",
        REQUESTS % "",
        ("host", "ip", "source", "tos", "group", "site", "destination"),
        {
            ("192.0.2.1", "192.0.2.1", None, "0", "lan", None, None): 60,
            ("dns.example.net", None, "wan1", "0", "wan", "fra", None): 60,
            ("dns.example.net", None, "wan2", "0", "wan", "fra", None): 60,
            ("2001:db8::1", "2001:db8::1", "wan1", "0", "wan", "fra", None): 60,
            ("192.0.2.99", "192.0.2.99", "wan2", "0", "wan", "fra", None): 60,
            ("unknown.example.net", None, "wan1", "0", "wan", "fra", None): 0,
        },
    ),
    (
        "Panel: heatmap",  # in requests to another host, which are as many as scrapes times 60
        f"sum by (le) (rate({DURATION % ('bucket', DNS + ',instance=~`.+`')}[1m]))"
        f" / on () group_left () rate({REQUESTS % 'host=`192.0.2.1`'}[1m])",
        ("le",),
        {
            (bound,): count / 60
            for bound, count in zip(BOUNDS, [0] * 8 + [30, 55, 100, 112, 112] + [113] * 8)
        },
    ),
    ("Panel: loss", f"{LOST} / {REQUESTS % DNS}", ("source",), {("wan1",): 0, ("wan2",): 7 / 60}),
    ("Panel: loss, count", LOST, ("source",), {("wan1",): 0, ("wan2",): 7}),
    (
        "Panel: latency",
        f"{DURATION % ('sum', DNS)} / {DURATION % ('count', DNS)}",
        ("source",),
        {("wan1",): 0.8645 / 60, ("wan2",): 3.0856 / 53},
    ),
    (
        "Rule: successes",
        f"increase({DURATION % ('count', '')}[1m]) / increase({REQUESTS % ''}[1m])",
        ("host", "source"),
        {
            ("192.0.2.1", None): 1,
            ("dns.example.net", "wan1"): 1,
            ("dns.example.net", "wan2"): 53 / 60,
            ("2001:db8::1", "wan1"): 1,
            ("192.0.2.99", "wan2"): 0,
            ("unknown.example.net", "wan1"): NAN,
        },
    ),
    *(
        (
            f"Rule: quantile {q}",
            QUANTILE % q,
            ("host", "source"),
            {
                ("192.0.2.1", None): lan,
                ("dns.example.net", "wan1"): wan1,
                ("dns.example.net", "wan2"): wan2,
                ("2001:db8::1", "wan1"): 0.0128 * (1 + q),
                ("192.0.2.99", "wan2"): NAN,
                ("unknown.example.net", "wan1"): NAN,
            },
        )
        for q, lan, wan1, wan2 in (
            (0.5, 0.0002 * (1 + 30 / 40), 0.0128, 0.0256 * (1 + 26.5 / 40)),
            (0.9, 0.0004 * (1 + 14 / 15), 0.0128 * (1 + 24 / 25), 0.0512 * (1 + 7.7 / 12)),
        )
    ),
    (
        "ttl",
        "smokeping_response_ttl",
        ("host", "source"),
        {
            ("192.0.2.1", None): 64,
            ("dns.example.net", "wan1"): 57,
            ("dns.example.net", "wan2"): 55,
        },
    ),
    ("duplicates", "smokeping_response_duplicates_total", ("host",), {("192.0.2.1",): 4}),
    ("send errors", "smokeping_send_errors_total", ("host", "outcome"), {("192.0.2.1", None): 2}),
    ("reload", "smokeping_prober_config_last_reload_successful", (), {(): 1}),
    ("reload", "smokeping_prober_config_last_reload_success_timestamp_seconds", (), {(): 1.79e9}),
    _whole("smokeping_prober"),
]

# What dashboards and alerts ask of the blackbox_exporter's ICMP probes.
BLACKBOX = [
    (
        "$target, state",
        'probe_success{job="blackbox"}',
        ("instance", "source", "exporter", "destination"),
        {
            ("192.0.2.1", "auto", "EXPORTER", None): 1,
            ("dns.example.net", "wan1", "EXPORTER", None): 1,
            ("dns.example.net", "wan2", "EXPORTER", None): 1,
            ("2001:db8::1", "wan1", "EXPORTER", None): 1,
            ("192.0.2.99", "wan2", "EXPORTER", None): 0,
            ("unknown.example.net", "wan1", "EXPORTER", None): 0,
        },
    ),
    ("share", 'avg(avg_over_time(probe_success{job="blackbox"}[1m]))', (), {(): 4 / 6}),
    *(
        (
            name,
            name,
            ("instance", "source", "phase"),
            {
                ("192.0.2.1", "auto", phase): 0.000237,
                ("dns.example.net", "wan1", phase): 0.0118,
                ("dns.example.net", "wan2", phase): 0.0447,
                ("2001:db8::1", "wan1", phase): 0.0206,
            },
        )
        for name, phase in (
            ("probe_icmp_duration_seconds", "rtt"),
            ("probe_duration_seconds", None),
        )
    ),
    (
        "ttl",
        "probe_icmp_reply_hop_limit",
        ("instance", "source"),
        {
            ("192.0.2.1", "auto"): 64,
            ("dns.example.net", "wan1"): 57,
            ("dns.example.net", "wan2"): 55,
        },
    ),
    (
        "on demand",
        'probe_success{job="blackbox_icmp"}',
        ("instance",),
        {("192.0.2.1",): 1, ("dns.example.net",): 1},
    ),
    _whole("blackbox", recorded="probe_duration_seconds"),
]

# What the recorded exposition has not: Linux alone counts duplicates, and a send error is rare.
FURTHER_SERIES = """\
# TYPE icmp_echo_duplicate_replies_total counter
icmp_echo_duplicate_replies_total{group="lan",source="auto",destination="192.0.2.1"} 4
icmp_echo_outcomes_total{group="lan",source="auto",destination="192.0.2.1",outcome="no_resources"} 2
"""


def find_problems(prometheus_url, exporter, queries):
    """Lists, as sentences, the answers that are not as expected, all of the last scrape.

    `exporter` is the exporter's address, the label `instance` of its series.
    """

    def ask(expr, moment=None):
        body = {"query": expr} if moment is None else {"query": expr, "time": moment}
        url = prometheus_url + "/api/v1/query"
        with urllib.request.urlopen(url, urllib.parse.urlencode(body).encode(), 300) as response:
            return json.load(response)["data"]["result"]

    scrape = ask(f'max(timestamp(scrape_samples_scraped{{instance="{exporter}"}}))')
    moment = scrape[0]["value"][1] if scrape else None
    scrapes = ask(f'count_over_time(up{{instance="{exporter}"}}[1h])', moment)
    scrapes = int(scrapes[0]["value"][1]) if scrapes else 0
    problems = []
    for title, expr, labels, answer in queries:
        factor = scrapes if title in GROWS else 1
        expected = {
            tuple(exporter if part == "EXPORTER" else part for part in key): value * factor
            for key, value in answer.items()
        }
        result = ask(expr, moment)
        got = {
            tuple(sample["metric"].get(label) for label in labels): float(sample["value"][1])
            for sample in result
        }
        if len(got) != len(result) or not _same(got, expected):
            problems.append(f"{title}: {expr}: {result} instead of {expected}")
    return problems


def _same(got, expected):
    return got.keys() == expected.keys() and all(
        math.isclose(got[key], expected[key], rel_tol=1e-9, abs_tol=1e-12)
        or (math.isnan(got[key]) and math.isnan(expected[key]))
        for key in got
    )
