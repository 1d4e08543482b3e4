"""The samples of one scrape, and what must hold in every scrape."""

import re

PAIR = ("group", "source", "destination", "address")  # the last of addresses = "all" only
NO_LOSSES = ("reply", "suspended", "no_resources")

_LINE = re.compile(r"^(?:#.*|(\w+)(?:\{(.*)\})? (\S+))\n", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


class Scrape:
    def __init__(self, samples):
        """`samples`: tuples (name, labels, value); labels as a dictionary, or as in the text."""
        self._series = {}
        self._as_text = {}  # of names that nobody asked for yet: of 300,000 lines a test reads few
        for name, labels, value in samples:
            self._as_text.setdefault(name, []).append((labels, value))

    @classmethod
    def parse(cls, text):
        """Reads the Prometheus text format."""
        # All lines at once, which takes two thirds of the time of one after another.
        lines = _LINE.findall(text)
        if len(lines) != text.count("\n") or not text.endswith("\n"):
            raise ValueError("not the Prometheus text format: " + _LINE.sub("", text)[:1000])
        return cls((name, labels, float(value)) for name, labels, value in lines if name)

    def names(self):
        return self._series.keys() | self._as_text.keys()

    def series(self, name, **labels):
        """Lists (labels, value) of the series that have all these labels."""
        if name in self._as_text:
            self._series[name] = [
                (_labels(have), value) for have, value in self._as_text.pop(name)
            ]
        return [
            (have, value)
            for have, value in self._series.get(name, [])
            if labels.items() <= have.items()
        ]

    def value(self, name, **labels):
        """The value of the one series with these labels; None when there is none."""
        found = self.series(name, **labels)
        if len(found) > 1:
            raise LookupError(f"{name}{labels}: {len(found)} series")
        return found[0][1] if found else None

    def total(self, name, **labels):
        return sum(value for _, value in self.series(name, **labels))

    def outcomes(self, **labels):
        """How many requests ended how, without zeros."""
        counts = {}
        for have, value in self.series("icmp_echo_outcomes_total", **labels):
            if value:
                counts[have["outcome"]] = counts.get(have["outcome"], 0) + value
        return counts

    def outcomes_of_sent(self, **labels):
        """How the requests ended that were sent.

        A request that a machine with too much to do keeps from leaving for a second (Wine's driver
        waits for a processor) is of no_resources, which is no loss.
        """
        return set(self.outcomes(**labels)) - {"no_resources"}

    def finished(self, **labels):
        return self.total("icmp_echo_outcomes_total", **labels)


def accounting_errors(scrape):
    """Lists, as sentences, what does not add up; nothing ever may."""
    by_pair = {}  # pair: {name: [(labels, value)]}; there may be 10,000 pairs
    for name in scrape.names():
        if name.startswith("icmp_echo_") and not name.endswith("_bucket"):
            for labels, value in scrape.series(name):
                pair = tuple(labels.get(part) for part in PAIR)
                by_pair.setdefault(pair, {}).setdefault(name, []).append((labels, value))
    errors = []
    for pair, series in by_pair.items():
        if len(series["icmp_echo_requests_total"]) > 1:
            errors.append(f"{pair}: there twice")
            continue

        def one(name, of=series):
            return of[name][0][1] if name in of else None

        requests, in_flight = one("icmp_echo_requests_total"), one("icmp_echo_in_flight")
        outcomes = {
            labels["outcome"]: value for labels, value in series["icmp_echo_outcomes_total"]
        }
        finished = sum(outcomes.values())
        replies, measured = outcomes["reply"], one("icmp_echo_rtt_seconds_count")
        up, last_rtt = one("icmp_echo_up"), one("icmp_echo_last_rtt_seconds")
        losses = finished - sum(outcomes.get(name, 0) for name in NO_LOSSES)
        in_runs = one("icmp_echo_failure_run_length_sum")
        consecutive = one("icmp_echo_consecutive_failures")
        if requests != finished + in_flight:
            errors.append(f"{pair}: {requests} requests, {finished} ended, {in_flight} in flight")
        if replies != measured:
            errors.append(f"{pair}: {replies} replies, {measured} round-trip times")
        if losses != in_runs + consecutive:
            errors.append(f"{pair}: {losses} losses, {in_runs} in runs, {consecutive} since")
        if "timeout" not in outcomes:
            errors.append(f"{pair}: no series of timeouts")
        if (up == 1) != (last_rtt is not None) or last_rtt == 0:
            errors.append(f"{pair}: up is {up}, the last round-trip time {last_rtt}")
    return errors


def _labels(have):
    """The labels as a dictionary, whether they are that or as in the text."""
    if not isinstance(have, str):
        return have
    return {name: _unescape(value) for name, value in _LABEL.findall(have)}


def _unescape(text):
    return _ESCAPED.sub(lambda m: "\n" if m[1] == "n" else m[1], text)
