"""Runs the queries of a Grafana dashboard against a Prometheus."""

import json
import math
import re
import urllib.error
import urllib.parse
import urllib.request

# What Grafana puts for its own variables, at a scrape interval of 15 s.
BUILT_IN = {"__interval": "15s", "__range": "1h", "__rate_interval": "1m"}

# Panels that show something only when something is wrong.
MAY_BE_EMPTY = {"Pairs that were down"}

VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
LABEL_VALUES = re.compile(r"label_values\((.+),\s*(\w+)\)")


def load_queries(path):
    """Lists (title, expression) of all queries in the dashboard file.

    The variables that are queries themselves come first, each with its name as
    the title ("$group"). Those with fixed choices are replaced already.
    """
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    variables = dashboard["templating"]["list"]
    chosen = {v["name"]: v["current"]["value"] for v in variables if v["type"] == "custom"}
    queries = [("$" + v["name"], v["query"]["query"]) for v in variables if v["type"] == "query"]
    for panel in all_panels(dashboard):
        for target in panel.get("targets", []):
            queries.append((panel["title"], target["expr"]))
    return [(title, _substitute(expr, chosen)) for title, expr in queries]


def all_panels(dashboard):
    """Lists the panels and rows, with the panels inside of collapsed rows."""
    panels = []
    for panel in dashboard["panels"]:
        panels += [panel, *panel.get("panels", [])]
    return panels


def run_queries(prometheus_url, queries):
    """Runs what load_queries() gave; yields (title, expression, values, error).

    A variable stands for all of its values, as if "All" were selected.
    """
    selected = dict(BUILT_IN)
    for title, template in queries:
        expr = _substitute(template, selected)
        values, error = [], None
        try:
            if unknown := VARIABLE.search(expr):
                raise ValueError("unknown variable " + unknown.group())
            if label_values := LABEL_VALUES.fullmatch(expr):
                selector, label = label_values.groups()
                series = _call(prometheus_url, "series", {"match[]": selector})
                values = sorted({one[label] for one in series if label in one})
                selected[title[1:]] = "(" + "|".join(map(_escape, values)) + ")"
            else:
                result = _call(prometheus_url, "query", {"query": expr})["result"]
                values = [float(sample["value"][1]) for sample in result]
        except (OSError, ValueError) as exception:
            error = str(exception)
        yield title, expr, values, error


def check_queries(prometheus_url, queries):
    """Lists, as sentences, which of the queries fail or give nothing to show."""
    problems = []
    for title, expr, values, error in run_queries(prometheus_url, queries):
        if error:
            problems.append(f"{title}: {error}: {expr}")
        elif title not in MAY_BE_EMPTY and all(_is_nan(value) for value in values):
            problems.append(f"{title}: no data: {expr}")
    return problems


def _substitute(text, values):
    """Replaces the variables that `values` has."""
    return VARIABLE.sub(lambda m: values.get(m.group(1) or m.group(2), m.group()), text)


def _escape(value):
    """Escapes for a regular expression inside of a PromQL string, as Grafana does."""
    return re.sub(r"[\\^$.*+?()\[\]{}/|]", r"\\\\\g<0>", value)


def _is_nan(value):
    return isinstance(value, float) and math.isnan(value)


def _call(prometheus_url, method, parameters):
    """Calls Prometheus's API and returns its data; raises OSError or ValueError."""
    url = f"{prometheus_url.rstrip('/')}/api/v1/{method}"
    # A POST, because a GET has no room for a selection of thousands of destinations.
    body = urllib.parse.urlencode(parameters).encode()
    try:
        with urllib.request.urlopen(url, body, timeout=300) as response:
            return json.load(response)["data"]
    except urllib.error.HTTPError as exception:
        raise ValueError(exception.read().decode(errors="replace")) from exception
