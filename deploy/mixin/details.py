"""The dashboards of a single pair, and of the exporters themselves."""

from panels import (
    BAD, DOUBTFUL, GOOD, JUDGED, LOST, OTHERS, PAIR, UNKNOWN, annotation, by, dashboard, exactly, filled,
    from_zero, grown, heat_map, instance_variable, job_variable, link_of_row, one_of, quantile, raw,
    recorded, scraped, series, stat, states, steps, table, texts, variable,
)

# Where each address of a name is a pair, all of them, or those that are chosen.
ONE = f"{exactly(*PAIR)},{one_of('address')}"
EXPORTERS = one_of("job", "instance")
EXPORTER = ("job", "instance")
LINE = "{{job}} {{instance}}"

NEUTRAL = steps((0, GOOD))
SOME_IS_BAD = steps((0, GOOD), (1, BAD))
YES_OR_NO = texts({0: ("no", BAD), 1: ("yes", GOOD)})
STATES = texts(
    {0: ("down", BAD), 1: ("last echo lost", DOUBTFUL), 2: ("up", GOOD), 3: ("no address", UNKNOWN)}
)
OUTCOMES = {
    "reply": GOOD,
    "timeout": BAD,
    "host_unreachable": DOUBTFUL,
    "prohibited": OTHERS[0],
    "ttl_expired": OTHERS[1],
    "net_unreachable": OTHERS[2],
    "suspended": UNKNOWN,
}


def rate(name, matchers, more=""):
    return f"rate({raw(name, matchers, more)}[$__rate_interval])"


# A pair


def pair(limits):
    requests = "icmp_echo_requests_total"
    labels = {"group": "Group", "source": "Source", "destination": "Destination"}
    variables = [job_variable(several=False), instance_variable(several=False)]
    for index, (name, label) in enumerate(labels.items(), 2):
        variables.append(variable(name, label, requests, exactly(*PAIR[:index]), several=False))
    variables.append(variable("address", "Address", requests, exactly(*PAIR)))
    # Those of the exporter, the group, the source or the destination have fewer labels.
    mine = ",".join(f'{name}=~"${name}|"' for name in (*PAIR, "address"))
    return dashboard(
        "echo-pair",
        "Echo: one pair",
        "ICMP echoes from one source to one destination.",
        variables,
        annotation(f'ALERTS{{alertstate="firing",alertname=~"Echo.+",{mine}}}', "{{instance}} {{source}}"),
        {
            "Now": pair_now(limits),
            "Round-trip time": pair_times(),
            "Losses": pair_losses(),
            "Path": pair_path(),
        },
    )


def state():
    """0 to 3, as STATES tells."""
    return (
        f"max(({raw('icmp_echo_resolved', ONE)} == 0) + 3"
        f" or ({recorded('pair:icmp_echo_down:bool', ONE)} == 1) - 1"
        f" or {raw('icmp_echo_up', ONE)} + 1)"
    )


def pair_now(limits):
    loss = steps((0, GOOD), (limits["loss"] / 5, DOUBTFUL), (limits["loss"], BAD))
    rtt = steps((0, GOOD), (limits["rtt"] / 2, DOUBTFUL), (limits["rtt"], BAD))
    mean = "pair:icmp_echo_rtt_seconds:mean5m"
    outages, out = (grown(raw(f"icmp_echo_{name}_total", ONE)) for name in ("outages", "outage_seconds"))
    changed, answered = (
        f"1000 * {raw(f'icmp_echo_{name}_timestamp_seconds', ONE)}" for name in ("up_changed", "last_reply")
    )
    return [
        stat("State", "Whether replies come.", state(), "none", NEUTRAL, mappings=STATES),
        stat(
            "Since", "When replies last began, or ceased, to come.", changed, "dateTimeAsLocal", NEUTRAL,
            width=5, none="the first echo",
        ),
        stat(
            "Last reply", "When the last reply came.", answered, "dateTimeAsLocal", NEUTRAL,
            width=5, none="none yet",
        ),
        stat(
            "Losses in a row", "Echoes lost since the last reply.",
            raw("icmp_echo_consecutive_failures", ONE), "none", SOME_IS_BAD, width=5,
        ),
        stat(
            "Interval", "Time between echo requests.",
            raw("icmp_echo_interval_seconds", ONE), "s", NEUTRAL, width=5,
        ),
        stat(
            "Loss now", "Echoes without reply, apart from outages, of 15 minutes (more, if they are rare).",
            recorded("pair:icmp_echo_loss:ratio", ONE), "percentunit", loss, decimals=2,
        ),
        stat(
            "RTT now", "Mean round-trip time of the last five minutes (more, if echoes are rare).",
            recorded(mean, ONE), "s", rtt, width=5,
        ),
        stat(
            "Usual RTT", "Median of that mean over the last day, without the last hour.",
            recorded(mean + "_median1d", ONE), "s", rtt, width=5,
        ),
        stat(
            "Outages", "Outages that began in the time shown, or since the exporter restarted.",
            outages, "none", SOME_IS_BAD, width=5, decimals=0,
        ),
        stat(
            "Time in outages", "Time in outages in the time shown, or since the exporter restarted.",
            out, "dtdurations", SOME_IS_BAD, width=5,
        ),
    ]


def pair_times():
    rtt = "icmp_echo_rtt_seconds"
    native = rate(rtt, ONE)
    mean = (
        f"{rate(rtt + '_sum', ONE)} / ({rate(rtt + '_count', ONE)} > 0)"
        f" or histogram_sum({native}) / (histogram_count({native}) > 0)"
    )
    usual = recorded("pair:icmp_echo_rtt_seconds:mean5m_median1d", ONE)
    quantiles = {"median": quantile(0.5, rtt, ONE), "99 %": quantile(0.99, rtt, ONE)}
    colours = {"mean": GOOD, "median": OTHERS[0], "99 %": BAD, "usual": UNKNOWN}
    return [
        heat_map("Round-trip times", "Echo replies a second by their round-trip time.", rtt, ONE, "s"),
        series(
            "RTT", "Mean, median and 99th percentile of replies, and (dashed) what is usual for the pair.",
            {"mean": mean, **quantiles, "usual": usual}, "s", colours=colours, dashed="usual",
        ),
        series(
            "Jitter", "Smoothed difference of the round-trip times of successive replies (RFC 3550).",
            {"jitter": raw("icmp_echo_jitter_seconds", ONE)}, "s", colours={"jitter": GOOD},
        ),
    ]


def pair_losses():
    outcomes = "icmp_echo_outcomes_total"
    loss = f"sum({rate(outcomes, ONE, LOST)}) / sum({rate(outcomes, ONE, JUDGED)})"
    single = "apart from outages"
    return [
        states("State over time", "Whether replies came.", {"state": state()}, STATES),
        series(
            "Loss", "Echoes without reply, outages included, and (dashed) apart from outages.",
            {"loss": loss, single: recorded("pair:icmp_echo_loss:ratio", ONE)},
            "percentunit", colours={"loss": BAD, single: DOUBTFUL}, dashed=single,
        ),
        series(
            "Outcomes", "Finished echo requests a second by what became of them.",
            {"{{outcome}}": by(["outcome"], rate(outcomes, ONE), "sum")},
            "reqps", colours=OUTCOMES, stacked=True,
        ),
        series(
            "Outages over time",
            "Share of the time in outages; one counts from its first loss, as soon as it is an outage.",
            {"in outages": rate("icmp_echo_outage_seconds_total", ONE)},
            "percentunit", colours={"in outages": BAD},
        ),
        heat_map(
            "Losses in a row before a reply", "Runs of lost echoes that ended, by their length in echoes.",
            "icmp_echo_failure_run_length", ONE, "none", width=12,
        ),
    ]


def pair_path():
    events = {
        "late replies": "icmp_echo_late_replies_total",
        "duplicate replies": "icmp_echo_duplicate_replies_total",
        "flow renewals": "icmp_echo_flow_renewals_total",
    }
    return [
        states(
            "Addresses in use", "The source address, if it is fixed, and the destination's address.",
            {"{{source_address}} to {{destination_address}}": raw("icmp_echo_pair_info", ONE)},
            texts({1: ("in use", GOOD)}),
        ),
        series(
            "Reply TTL", "TTL or hop limit of the last reply, which changes with the route of the replies.",
            {"TTL": raw("icmp_echo_reply_ttl", ONE)}, "none", colours={"TTL": GOOD},
        ),
        series(
            "Late and duplicate replies, flow renewals",
            "Replies after the timeout, further replies, and changes of the ICMP identifier after losses.",
            {legend: f"60 * {rate(name, ONE)}" for legend, name in events.items()},
            "cpm", colours=dict(zip(events, (BAD, DOUBTFUL, GOOD))),
        ),
    ]


# The exporters


def exporter(limits):
    names = "EchoExporter|EchoHost|EchoConfig|EchoDiscovery|EchoTargets|EchoLookups|EchoCertificate|EchoThreshold|EchoSource"
    return dashboard(
        "echo-exporter",
        "Echo: exporters",
        "The health of echo_exporter itself.",
        [job_variable(), instance_variable(every="")],
        annotation(f'ALERTS{{alertstate="firing",alertname=~"({names}).+",{EXPORTERS}}}', "{{instance}}"),
        {
            "Exporters": [exporter_table(limits)],
            "Echo requests": exporter_requests(),
            "Host faults and names": exporter_faults(),
            "Configuration": exporter_configuration(),
            "HTTP and process": exporter_process(),
        },
    )


def exporter_table(limits):
    def gauge(name):
        return by(EXPORTER, raw(f"echo_exporter_{name}", EXPORTERS))

    days = [
        {"color": BAD, "value": None},
        {"color": DOUBTFUL, "value": limits["certificate_critical_days"] * 86400},
        {"color": "transparent", "value": limits["certificate_warning_days"] * 86400},
    ]
    words = {"mappings": YES_OR_NO, "custom.cellOptions": {"type": "color-text"}}
    duration, count = {"unit": "dtdurations"}, {"unit": "none"}
    build = ("version", "revision")
    uptime = (
        f"(time() - {raw('process_start_time_seconds', EXPORTERS)})"
        f" * on (job, instance) group_left ({', '.join(build)}) {raw('echo_exporter_build_info', EXPORTERS)}"
    )
    loaded = f"1000 * {gauge('config_last_reload_success_timestamp_seconds')}"
    expiry = f"{gauge('tls_certificate_expiry_timestamp_seconds')} - time()"
    return table(
        "State of the exporters", "Every exporter that Prometheus knows, with what it runs.",
        {
            "Scraped": (scraped(EXPORTERS), words),
            "Uptime": (by(EXPORTER + build, uptime), duration),
            "Pairs": (gauge("pairs"), count),
            "In flight": (by(EXPORTER, raw("icmp_echo_in_flight", EXPORTERS), "sum"), count),
            "Configuration loaded": (gauge("config_last_reload_successful"), words),
            "Loaded at": (loaded, {"unit": "dateTimeAsLocal"}),
            "Web configuration loaded": (gauge("web_config_last_reload_successful"), words),
            "Certificate expires in": (expiry, duration | filled(days)),
        },
        EXPORTER, build, width=24,
    )


def exporter_requests():
    def late(name):
        quantiles = {"99 %": 0.99, "median": 0.5}
        return {f"{LINE} {word}": quantile(q, name, EXPORTERS) for word, q in quantiles.items()}

    missed = rate("echo_exporter_schedule_missed_total", EXPORTERS)
    return [
        series(
            "Requests", "ICMP echo requests that an exporter sends.",
            {LINE: recorded("instance:icmp_echo_requests:rate5m", EXPORTERS)}, "reqps",
        ),
        series(
            "Requests left out", "Scheduled requests that were not sent, by reason.",
            {LINE + " {{reason}}": by((*EXPORTER, "reason"), missed, "sum")}, "reqps",
        ),
        series(
            "Schedule lag", "How late requests are sent: a sign of too little processor time.",
            late("echo_exporter_schedule_lag_seconds"), "s", dashed=".* median",
        ),
        series(
            "Completion delay", "How long replies wait to be seen, which is no part of the round-trip time.",
            late("echo_exporter_completion_delay_seconds"), "s", dashed=".* median",
        ),
    ]


def exporter_faults():
    def spoiled(outcome):
        ended = grown(raw("icmp_echo_outcomes_total", EXPORTERS, f'outcome="{outcome}"'))
        return by(EXPORTER, ended, "sum"), {"unit": "none"}

    drops, foreign = "echo_exporter_receive_drops_total", "echo_exporter_foreign_replies_total"
    dropped = (by(EXPORTER, grown(raw(drops, EXPORTERS))), {"unit": "none"})
    nameless = f"topk(100, {by(PAIR, raw('icmp_echo_resolved', EXPORTERS) + ' == 0')})"
    return [
        table(
            "Requests spoiled by the host",
            "Requests of the time shown that tell nothing of the network, and packets the kernel dropped.",
            {name: spoiled(name) for name in ("suspended", "no_resources")} | {"packets dropped": dropped},
            EXPORTER,
        ),
        table(
            "Names without address", "Up to 100 pairs that are not probed, because the name has no address.",
            {"Resolved": (nameless, {"mappings": YES_OR_NO})},
            PAIR, links=[link_of_row("Show this pair", "echo-pair", PAIR)],
        ),
        series(
            "Packets dropped and foreign replies",
            "Packets that the kernel dropped unread, and (dashed) replies to nobody's request.",
            {f"{LINE} dropped": rate(drops, EXPORTERS), f"{LINE} foreign": rate(foreign, EXPORTERS)},
            "pps", dashed=".* foreign",
        ),
        series(
            "Failed lookups",
            "Lookups of names and adapters that failed, and (dashed) how many go on with an earlier address.",
            {
                LINE: f"60 * {rate('echo_exporter_resolve_failures_total', EXPORTERS)}",
                f"{LINE} stale": raw("echo_exporter_stale_lookups", EXPORTERS),
            },
            "none", dashed=".* stale",
        ),
    ]


def exporter_configuration():
    loaded, web_loaded = (
        raw(f"echo_exporter_{name}_last_reload_successful", EXPORTERS) for name in ("config", "web_config")
    )
    return [
        states(
            "Scrapes", "Whether Prometheus could scrape the exporter.",
            {LINE: scraped(EXPORTERS)}, YES_OR_NO, width=12, height=8,
        ),
        target_lists(),
        states(
            "Reloads", "Whether the configuration and the web configuration could be loaded when last tried.",
            {LINE: loaded, f"{LINE} web": web_loaded}, YES_OR_NO, width=12, height=8,
        ),
    ]


def target_lists():
    labels = (*EXPORTER, "group", "mechanism")

    def gauge(name):
        return by(labels, raw(f"echo_exporter_sd_{name}", EXPORTERS))

    success, change = (gauge(f"last_{name}_timestamp_seconds") for name in ("success", "change"))
    failures = by(labels, grown(raw("echo_exporter_sd_refresh_failures_total", EXPORTERS)), "sum")
    count, alarm = {"unit": "none"}, filled(from_zero(1, 1))
    return table(
        "Target lists", "What groups take from files and servers; the oldest list, of several.",
        {
            "Targets": (gauge("targets"), count),
            "Rejected": (gauge("rejected_targets"), count | alarm),
            "Refreshed": (f"(time() - {success})", {"unit": "dtdurations"}),
            "Changed at": (f"(1000 * {change})", {"unit": "dateTimeAsLocal"}),
            "Failures": (failures, count | alarm),
        },
        labels, width=24,
    )


def exporter_process():
    http = by((*EXPORTER, "handler", "code"), rate("echo_exporter_http_requests_total", EXPORTERS), "sum")

    def lines(title, description, expr, unit):
        return series(title, description, {LINE: expr}, unit)

    return [
        series(
            "HTTP requests", "Answered HTTP requests by path and status.",
            {LINE + " {{handler}} {{code}}": http}, "reqps",
        ),
        lines(
            "CPU", "Processor time, as a share of one core.",
            rate("process_cpu_seconds_total", EXPORTERS), "percentunit",
        ),
        lines("Memory", "Resident memory.", raw("process_resident_memory_bytes", EXPORTERS), "bytes"),
        lines(
            "Files and handles", "Open file descriptors, or handles on Windows.",
            raw("process_open_fds", EXPORTERS), "none",
        ),
        lines(
            "Scrape duration", "How long Prometheus takes to fetch all metrics.",
            raw("scrape_duration_seconds", EXPORTERS), "s",
        ),
        lines("Scrape size", "Samples in a scrape.", raw("scrape_samples_scraped", EXPORTERS), "short"),
    ]
