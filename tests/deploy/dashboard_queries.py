"""Runs the queries of Grafana dashboards against a Prometheus, as Grafana does."""

import dataclasses
import json
import math
import pathlib
import re
import time
import urllib.error
import urllib.parse
import urllib.request

# Panels that show something only when something is wrong.
MAY_BE_EMPTY = {
    "fleet: Exporters that see nothing",
    "fleet: Sources that see little",
    "fleet: Destinations that few see",
    "fleet: Pairs that are down",
    "fleet: Pairs with loss",
    "fleet: Pairs slower than usual",
    "fleet: Pairs with outages",
    "fleet: Loss from exporter to address",
    "pair: Since",
    "exporter: Requests spoiled by the host",
    "exporter: Names without address",
}

# What an exporter has on Linux only, or with a web configuration, and Prometheus after an hour.
OPTIONAL = re.compile(
    "late_replies|duplicate_replies|flow_renewals|foreign_replies|receive_drops|web_config|tls_|_sd_|median1d"
)

VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
LABEL_VALUES = re.compile(r"label_values\((.+),\s*(\w+)\)")


@dataclasses.dataclass(frozen=True)
class Query:
    title: str  # "DASHBOARD: PANEL"; of the query of a variable "$VARIABLE"
    expr: str
    instant: bool = True
    may_be_empty: bool = False
    several: bool = False  # of a variable: whether several values, and so all, can be chosen
    every: str = ""  # of a variable: what stands for all values, if not their list


@dataclasses.dataclass(frozen=True)
class Answer:
    query: Query
    expr: str  # without variables
    values: list  # the last ones of all series, or those of a variable
    statistics: dict  # of Prometheus
    seconds: float
    error: str = ""


@dataclasses.dataclass(frozen=True)
class Times:
    """What a dashboard shows: the last `seconds`, a point each `step`, of scrapes each `scrape`."""

    seconds: int = 300
    step: int = 15
    scrape: int = 15
    end: float | None = None  # now

    def built_in(self):
        """Grafana's own variables."""
        rate = max(self.step + self.scrape, 4 * self.scrape)
        return {"__range": f"{self.seconds}s", "__rate_interval": f"{rate}s"}


def load_queries(path):
    """Lists all queries in the file of a dashboard, first those of its variables."""
    path = pathlib.Path(path)
    dashboard = json.loads(path.read_text(encoding="utf-8"))
    queries = []
    for one in dashboard["templating"]["list"]:
        if one["type"] == "query":
            text = one["query"]["query"]
            every = one.get("allValue", "")
            name = one["name"]
            # Few names have each of their addresses probed.
            empty = name == "address"
            queries.append(Query("$" + name, text, True, empty, several=one["multi"], every=every))
    for one in dashboard["annotations"]["list"]:
        title = f"{path.stem}: {one['name']}"
        queries.append(Query(title, one["target"]["expr"], instant=False, may_be_empty=True))
    for panel in dashboard["panels"]:
        title = f"{path.stem}: {panel['title']}"
        for target in panel.get("targets", []):
            # A heat map has a query of classic histograms and one of native ones.
            optional = panel["type"] == "heatmap" or bool(OPTIONAL.search(target["expr"]))
            empty = optional or title in MAY_BE_EMPTY
            queries.append(Query(title, target["expr"], target["instant"], empty))
    return queries


def run_queries(prometheus_url, queries, times=Times(), chosen=None):
    """Runs what load_queries() gave; yields an Answer to each.

    A variable stands for all of its values; one that can only have one value has that of `chosen`, or the
    last.
    """
    selected = times.built_in()
    for query in queries:
        expr = VARIABLE.sub(lambda m: selected.get(m[1] or m[2], m[0]), query.expr)
        started = time.monotonic()
        values, statistics, error = [], {}, ""
        try:
            if unknown := VARIABLE.search(expr):
                raise ValueError("unknown variable " + unknown.group())
            if label_values := LABEL_VALUES.fullmatch(expr):
                values = _label_values(prometheus_url, *label_values.groups(), times)
                name = query.title[1:]
                selected[name] = _variable(query, values, (chosen or {}).get(name))
            else:
                values, statistics = _run(prometheus_url, expr, query.instant, times)
        except (OSError, ValueError) as exception:
            error = str(exception)
        yield Answer(query, expr, values, statistics, time.monotonic() - started, error)


def check_queries(prometheus_url, queries, times=Times(), chosen=None):
    """Lists, as sentences, which of the queries fail or give nothing to show."""
    problems = []
    for answer in run_queries(prometheus_url, queries, times, chosen):
        query = answer.query
        if answer.error:
            problems.append(f"{query.title}: {answer.error}: {answer.expr}")
        elif not query.may_be_empty and all(_is_nan(value) for value in answer.values):
            problems.append(f"{query.title}: no data: {answer.expr}")
    return problems


def _variable(query, values, chosen):
    """What Grafana puts for a variable."""
    if query.every:
        return query.every
    if query.several:
        return "(" + "|".join(map(_escape, values)) + ")"
    value = chosen or (values[-1] if values else "")
    return re.sub(r'[\\"]', r"\\\g<0>", value)


def _escape(value):
    """Escapes for a regular expression inside of a PromQL string, as Grafana does."""
    return re.sub(r"[\\^$.*+?()\[\]{}/|]", r"\\\\\g<0>", value)


def _is_nan(value):
    return isinstance(value, float) and math.isnan(value)


def _label_values(prometheus_url, selector, label, times):
    end = times.end or time.time()
    period = {"match[]": selector, "start": end - times.seconds, "end": end}
    return _call(prometheus_url, f"label/{label}/values?{urllib.parse.urlencode(period)}")


def _run(prometheus_url, expr, instant, times):
    """Gives the last values of all series, and Prometheus's statistics."""
    end = times.end or time.time()
    parameters = {"query": expr, "stats": "all"}
    if instant:
        data = _call(prometheus_url, "query", parameters | {"time": end})
        points = [sample["value"] for sample in data["result"]]
    else:
        # Grafana aligns the points, so that lines do not tremble.
        end -= end % times.step
        period = {"start": end - times.seconds, "end": end, "step": times.step}
        data = _call(prometheus_url, "query_range", parameters | period)
        points = [series["values"][-1] for series in data["result"] if "values" in series]
    return [float(value) for _, value in points], data["stats"]


def _call(prometheus_url, method, parameters=None):
    """Calls Prometheus's API and returns its data; raises OSError or ValueError."""
    url = f"{prometheus_url.rstrip('/')}/api/v1/{method}"
    # A POST, because a GET has no room for a selection of thousands of destinations.
    body = parameters and urllib.parse.urlencode(parameters).encode()
    try:
        with urllib.request.urlopen(url, body, timeout=300) as response:
            return json.load(response)["data"]
    except urllib.error.HTTPError as exception:
        raise ValueError(exception.read().decode(errors="replace")) from exception
