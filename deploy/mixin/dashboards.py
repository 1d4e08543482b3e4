"""The dashboards: one of all pairs, here, and those of a single pair and of the exporters.

Over time they show recorded series, or raw ones of a single pair or of exporters. Raw series of all
pairs are read at one moment only: ten thousand pairs over a day would be too much for Prometheus.
"""

from details import exporter, pair
from panels import (
    BAD, DOUBTFUL, EACH, GOOD, PAIR, annotation, by, dashboard, filled, from_zero, gone, grown,
    instance_variable, job_variable, link, link_of_row, matrix, one_of, raw, recorded, scraped, series,
    share, stat, steps, table, texts, variable,
)

# What the variables select.
PAIRS = one_of(*PAIR)
GROUPS = one_of("job", "instance", "group")
EXPORTERS = one_of("job", "instance")
FIRING = (
    f'ALERTS{{alertstate="firing",alertname=~"Echo.+",{one_of("job")},'
    'instance=~"$instance|",group=~"$group|",source=~"$source|",destination=~"$destination|"}'
)

# Rows of tables, and columns of matrices: more cannot be overlooked.
MOST, COLUMNS = 50, 30

TO_PAIR = link_of_row("Show this pair", "echo-pair", PAIR)
TO_EXPORTER = link_of_row("Show this exporter", "echo-exporter", ("job", "instance"))
TO_DESTINATION = link_of_row("Show this destination", "echo-fleet", ("job", "group", "destination"))
TO_PAIR_OF_CELL = link(
    "Show this pair",
    "echo-pair",
    {name: f"__data.fields.{name}" for name in PAIR[:-1]} | {"destination": "__field.name"},
)

ALL_IS_GOOD = steps((0, BAD), (0.9, DOUBTFUL), (1, GOOD))
NONE_IS_GOOD = steps((0, GOOD), (1, BAD))
COUNT = {"unit": "none", "decimals": 0}


def top(expr, most=MOST):
    return f"topk({most}, {expr})"


def make(config):
    """Maps the names of the dashboards to them; `{@}` stands for the selector."""
    limits = config["thresholds"]
    return {"fleet": fleet(limits), "pair": pair(limits), "exporter": exporter(limits)}


def fleet(limits):
    requests = "icmp_echo_requests_total"
    variables = [
        job_variable(),
        instance_variable(),
        variable("group", "Group", requests, EXPORTERS),
        variable("source", "Source", requests, GROUPS),
        variable("destination", "Destination", requests, one_of(*PAIR[:-1])),
    ]
    alerts = f"count by (alertname, severity, job, group) ({FIRING})"
    return dashboard(
        "echo-fleet",
        "Echo: all pairs",
        "Loss and latency of ICMP echoes between all sources and destinations.",
        variables,
        annotation(alerts, "{{job}} {{group}}"),
        {
            "Now": now(limits),
            "Where it fails": places(),
            "Worst pairs now": worst_pairs(limits),
            "Fleet": whole_fleet(limits),
            "Over time": history(),
            "Sources and destinations": matrices(limits),
        },
    )


def now(limits):
    up = f"({scraped(EXPORTERS)} or {gone(EXPORTERS)})"
    pairs = f"count({raw('icmp_echo_requests_total', PAIRS)})"
    lost, judged = (recorded(f"pair:icmp_echo_{name}:window", PAIRS) for name in ("losses", "judged"))
    nameless = f"count({raw('icmp_echo_resolved', PAIRS)} == 0) or 0 * {pairs}"
    known = f"count(instance:echo_exporter:known{{{EXPORTERS}}})"
    names = "{{part}} of {{whole}}"
    losses, seconds = limits["down_losses"], limits["down_seconds"]
    loss = steps((0, GOOD), (limits["loss"] / 5, DOUBTFUL), (limits["loss"], BAD))
    return [
        stat(
            "Exporters up", "Exporters that Prometheus can scrape, out of those that it knows.",
            share(f"sum{up}", f"count{up}"), "percentunit", ALL_IS_GOOD, legend=names,
        ),
        stat(
            "Pairs answering", "Pairs whose last echo got a reply, out of all of exporters that are up.",
            share(f"sum({raw('icmp_echo_up', PAIRS)})", pairs), "percentunit", ALL_IS_GOOD, legend=names,
        ),
        stat(
            "Pairs down", f"Pairs with {losses} losses in a row or more, over at least {seconds} s.",
            f"sum({recorded('pair:icmp_echo_down:bool', PAIRS)})", "none", NONE_IS_GOOD,
        ),
        stat(
            "Names not resolved", "Pairs that are not probed, because the destination's name has no address.",
            nameless, "none", NONE_IS_GOOD,
        ),
        stat(
            "Loss", "Echoes without reply, outages included, of 15 minutes (more, if they are rare).",
            f"sum({lost}) / (sum({judged}) > 0)", "percentunit", loss, decimals=2,
        ),
        stat(
            "Alerts firing", "Firing alerts of what is chosen above.",
            f"count({FIRING}) or 0 * {known}", "none", NONE_IS_GOOD,
        ),
    ]


def places():
    """Tables that stand in for many pairs."""

    def of(place, labels, count, bound):
        """The count, and the share that is down if it is as large as that."""
        matchers = one_of(*labels)
        down = top(recorded(f"{place}:icmp_echo_down:ratio", matchers) + bound)
        return f"({recorded(f'{place}:icmp_echo_{count}:count', matchers)} and {down})", down

    exporter_labels, source_labels = ("job", "instance"), ("job", "instance", "source")
    destination_labels = ("job", "group", "destination")
    pairs, blind = of("instance", exporter_labels, "pairs", " == 1")
    source_pairs, source = of("source", source_labels, "pairs", " > 0.5")
    sources, destination = of("destination", destination_labels, "sources", " > 0.5")
    failing = f"{scraped(EXPORTERS)} == 0 or {gone(EXPORTERS)}"
    scrape = {"mappings": texts({0: ("fails", BAD)}), "custom.cellOptions": {"type": "color-text"}}
    ratio = {"unit": "percentunit", "decimals": 0} | filled(from_zero(0.5, 1))
    return [
        table(
            "Exporters that see nothing", "Exporters that get no reply at all, or cannot be scraped.",
            {"Scrape": (failing, scrape), "Pairs": (pairs, COUNT), "Pairs down": (blind, ratio)},
            exporter_labels, width=8, links=[TO_EXPORTER],
        ),
        table(
            "Sources that see little", "Sources of which more than half of the pairs are down.",
            {"Pairs": (source_pairs, COUNT), "Pairs down": (source, ratio)},
            source_labels, width=8, links=[TO_EXPORTER], sort="Pairs down",
        ),
        table(
            "Destinations that few see",
            "Destinations that are down for more than half of the sources that see other destinations.",
            {"Sources": (sources, COUNT), "Down for": (destination, ratio)},
            destination_labels, width=8, links=[TO_DESTINATION], sort="Down for",
        ),
    ]


def worst_pairs(limits):
    def rule(name):
        return by(EACH, recorded(f"pair:icmp_echo_{name}", PAIRS))

    down = recorded("pair:icmp_echo_down:bool", PAIRS)
    failures, interval = (raw(f"icmp_echo_{x}", PAIRS) for x in ("consecutive_failures", "interval_seconds"))
    latest = f"bottomk({MOST}, {by(EACH, f'{failures} * {interval} and {down} == 1')})"
    answered = by(EACH, raw("icmp_echo_last_reply_timestamp_seconds", PAIRS))
    lossy = top(by(EACH, f"{recorded('pair:icmp_echo_loss:ratio', PAIRS)} > 0 unless {down} == 1"))
    rtt, usual = rule("rtt_seconds:mean5m"), rule("rtt_seconds:mean5m_median1d")
    slower = top(f"({rtt} - {usual} > 0)")
    outages = by(EACH, grown(raw("icmp_echo_outages_total", PAIRS)))
    out = top(by(EACH, grown(raw("icmp_echo_outage_seconds_total", PAIRS))) + " > 0")
    duration, seconds, moment = ({"unit": unit} for unit in ("dtdurations", "s", "dateTimeAsLocal"))
    percent = {"unit": "percentunit", "decimals": 1}
    return [
        table(
            "Pairs that are down",
            f"The {MOST} pairs that went down last, with the time since the first lost echo.",
            {
                "Down for": (latest, duration | filled([{"color": BAD, "value": None}])),
                "Last reply": (f"(1000 * {answered} and {latest})", moment),
            },
            PAIR, ("address",), links=[TO_PAIR],
        ),
        table(
            "Pairs with loss", f"The {MOST} pairs that are up and lose most, apart from outages.",
            {
                "Loss": (lossy, percent | filled(loss_levels(limits))),
                "Lost": (f"({rule('single_losses:window')} and {lossy})", COUNT),
            },
            PAIR, ("address",), links=[TO_PAIR], sort="Loss",
        ),
        table(
            "Pairs slower than usual",
            f"The {MOST} pairs whose round-trip time has grown most over the median of their last day.",
            {
                "Now": (f"({rtt} and {slower})", seconds | filled(rtt_levels(limits))),
                "Usual": (f"({usual} and {slower})", seconds),
                "More": (slower, seconds),
            },
            PAIR, ("address",), links=[TO_PAIR], sort="More",
        ),
        table(
            "Pairs with outages",
            f"The {MOST} pairs that were out for longest in the time shown, or since a restart.",
            {"Outages": (f"({outages} and {out})", COUNT), "Time in outages": (out, duration)},
            PAIR, ("address",), links=[TO_PAIR], sort="Time in outages",
        ),
    ]


def whole_fleet(limits):
    """What each exporter sees of each destination: the worst of both, of however many there are."""

    def seen(labels, matchers=PAIRS):
        down, ratio = (recorded(f"pair:icmp_echo_{x}", matchers) for x in ("down:bool", "loss:ratio"))
        return by(labels, f"{down} == 1 or {ratio}")

    def worst(cells, *places):
        tops = (
            f" and on ({', '.join(labels)}) {top(by(labels, cells, 'avg'), most)}" for labels, most in places
        )
        return cells + "".join(tops)

    one = ("job", "instance")
    lost, judged = (by(one, recorded(f"pair:icmp_echo_{x}:window", PAIRS), "sum") for x in ("losses", "judged"))
    lossy = top(f"({lost} / ({judged} > 0))")
    pairs, down = (recorded(f"instance:icmp_echo_{x}", EXPORTERS) for x in ("pairs:count", "down:ratio"))
    rtt = by(one, recorded("pair:icmp_echo_rtt_seconds:mean5m", PAIRS), "avg")
    destinations = seen((*one, "destination"))
    named = (*one, "group", "destination")
    addresses = seen((*named, "address"), PAIRS + ',address!=""')
    percent = {"unit": "percentunit", "decimals": 1}
    to_address = {name: f"__data.fields.{name}" for name in named} | {"address": "__field.name"}
    return [
        table(
            "Exporters by loss", f"The {MOST} exporters that lose most, outages included.",
            {
                "Loss": (lossy, percent | filled(loss_levels(limits))),
                "Pairs": (f"({by(one, pairs)} and {lossy})", COUNT),
                "Pairs down": (f"({by(one, down)} and {lossy})", percent | filled(from_zero(0.5, 1))),
                "RTT": (f"({rtt} and {lossy})", {"unit": "s"} | filled(rtt_levels(limits))),
            },
            one, width=24, links=[TO_EXPORTER], sort="Loss",
        ),
        matrix(
            "Loss from exporter to destination",
            f"Loss apart from outages (100 % if down) of the worst pair, for the {MOST} worst exporters"
            f" and the {COLUMNS} worst destinations.",
            worst(destinations, (("job", "destination"), COLUMNS), (one, MOST)),
            one, "destination", [], loss_levels(limits), "percentunit",
        ),
        matrix(
            "Loss from exporter to address",
            f"The same, of names whose addresses are all probed, for the {COLUMNS} worst addresses.",
            worst(addresses, (("job", "address"), COLUMNS), (one, MOST)),
            named, "address", [link("Show these pairs", "echo-pair", to_address)],
            loss_levels(limits), "percentunit",
        ),
    ]


def loss_levels(limits):
    return from_zero(limits["loss"] / 5, limits["loss"])


def rtt_levels(limits):
    return from_zero(limits["rtt"] / 2, limits["rtt"])


def history():
    group, exporter_labels = ("job", "group"), ("job", "instance")
    loss, rtt = "group:icmp_echo_loss:ratio5m", "group:icmp_echo_rtt_seconds:mean5m"

    def over_time(how, name):
        """Of all moments between the points that are shown."""
        return f"{how}_over_time({recorded(name, GROUPS)}[$__rate_interval])"

    def mean(name, labels):
        """Of groups, each of which counts as much as it has pairs."""
        value, pairs = over_time("avg", name), recorded("group:icmp_echo_pairs:count", GROUPS)
        return f"{by(labels, f'{value} * {pairs}', 'sum')} / {by(labels, f'{pairs} and {value}', 'sum')}"

    def worst(name):
        return by(group, over_time("max", name))

    down = over_time("max", "group:icmp_echo_down:sum")
    groups, exporters = "{{job}} {{group}}", "{{job}} {{instance}}"
    return [
        series(
            "Loss by group",
            "Lost echoes of all exporters together, outages included, and (dashed) of the worst exporter.",
            {groups: mean(loss, group), groups + ", worst exporter": worst(loss)},
            "percentunit", dashed=".*, worst exporter",
        ),
        series(
            "RTT by group", "Mean round-trip time of all pairs, and (dashed) of the slowest pair.",
            {groups: mean(rtt, group), groups + ", slowest pair": worst(rtt.replace("mean", "max"))},
            "s", dashed=".*, slowest pair",
        ),
        series(
            "Loss by exporter", "Lost echoes of all groups together, outages included.",
            {exporters: mean(loss, exporter_labels)}, "percentunit",
        ),
        series(
            "RTT by exporter", "Mean round-trip time of all groups together.",
            {exporters: mean(rtt, exporter_labels)}, "s",
        ),
        series(
            "Pairs down by group", "Pairs of all exporters that are down.",
            {groups: by(group, down, "sum")}, "none",
        ),
        series(
            "Pairs down by exporter", "Pairs of all groups that are down.",
            {exporters: by(exporter_labels, down, "sum")}, "none",
        ),
    ]


def matrices(limits):
    def of_worst(values):
        destination = ("job", "group", "destination")
        worst = top(by(destination, values, "avg"), COLUMNS)
        return f"{values} and on ({', '.join(destination)}) {worst}"

    down, ratio = (recorded(f"pair:icmp_echo_{name}", PAIRS) for name in ("down:bool", "loss:ratio"))
    loss = by(PAIR, f"{down} == 1 or {ratio}")
    rtt = by(PAIR, recorded("pair:icmp_echo_rtt_seconds:mean5m", PAIRS))
    return [
        matrix(
            "Loss from source to destination",
            f"Loss apart from outages (100 % of a pair that is down) for the {COLUMNS} worst destinations.",
            of_worst(loss), PAIR[:-1], "destination", [TO_PAIR_OF_CELL], loss_levels(limits), "percentunit",
        ),
        matrix(
            "RTT from source to destination", f"Mean round-trip times to the {COLUMNS} slowest destinations.",
            of_worst(rtt), PAIR[:-1], "destination", [TO_PAIR_OF_CELL], rtt_levels(limits), "s",
        ),
    ]
