"""Finds what is wrong with dashboards as files, apart from what their queries mean."""

import collections
import colorsys
import json
import re

WINDOW = re.compile(r"(?:\[|\boffset )([^\]\s)]*)")
ALLOWED_WINDOWS = {"$__rate_interval", "$__range"}
UNITLESS = {"row", "table", "state-timeline"}


def problems(dashboard):
    """Lists, as sentences, the problems of one dashboard."""
    found = []
    panels = dashboard["panels"]
    for key in ("id", "title"):
        counts = collections.Counter(panel[key] for panel in panels)
        found += [f"{key} {value} is not unique" for value, n in counts.items() if n > 1]
    cells = collections.Counter()
    for panel in panels:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        cells.update((x, y) for x in columns for y in range(place["y"], place["y"] + place["h"]))
        if columns.stop > 24:
            found.append(f"{panel['title']}: wider than the dashboard")
        if panel["type"] != "row":
            checks = (_texts, _queries, _colours)
            found += [f"{panel['title']}: {one}" for find in checks for one in find(panel)]
    found += [f"panels overlap at {cell}" for cell, n in cells.items() if n > 1][:1]
    for one in dashboard["templating"]["list"] + dashboard["annotations"]["list"]:
        if one.get("datasource", {}).get("uid", "${datasource}") != "${datasource}":
            found.append(f"{one['name']}: a fixed data source")
    return found


def _texts(panel):
    """A sentence that explains it, a unit, and values that can be read."""
    if not re.fullmatch(r"[A-Z][^\n]*\.", panel.get("description", "")):
        yield "no sentence describes it"
    if panel["type"] not in UNITLESS and "unit" not in panel["fieldConfig"]["defaults"]:
        yield "no unit"
    options = panel["options"]
    if options.get("showValue") == "never" or options.get("textMode") in ("none", "name"):
        yield "its values are hidden"
    if panel["type"] == "stat" and not panel["fieldConfig"]["defaults"].get("noValue"):
        yield "it does not say when there is no value"


def _queries(panel):
    targets = panel.get("targets", [])
    if not targets:
        yield "no query"
    if len({target["refId"] for target in targets}) != len(targets):
        yield "refIds are not unique"
    for target in targets:
        expr = target["expr"]
        if not expr.strip():
            yield "an empty query"
        if target["datasource"]["uid"] != "${datasource}":
            yield "a fixed data source"
        for window in WINDOW.findall(expr):
            hour = window == "1h" and "last hour" in panel["title"]
            if window not in ALLOWED_WINDOWS and not hour:
                yield f"a fixed window {window}"
        if re.search(r"\bjob=~?\"(?!\$job)", expr):
            yield "a fixed job"
        if not target["instant"]:
            # The first makes lines of pieces, the second counts twice what two points have seen.
            yield from (
                f"{name} at each point" for name in ("topk", "bottomk", "increase") if f"{name}(" in expr
            )
    text = " ".join(target["expr"] for target in targets)
    for name in sorted(set(re.findall(r"(\w+)_(?:bucket|sum|count)\b(?=\{)", text))):
        if not re.search(rf"\b{name}\{{", text):
            yield f"{name}: no native histogram"


def _colours(panel):
    """Nobody has to tell red from green, or to know a rainbow by heart."""
    text = json.dumps(panel)
    if palette := re.search(r"Spectral|RdYlGn|(?:GrYlRd|RdYlGr)|Rainbow|Sinebow|Turbo", text):
        yield f"the palette {palette[0]}"
    colours = re.findall(r'"(?:color|fixedColor)": "([^"]+)"', text)
    hues = {_hue(colour) for colour in colours}
    if {"red", "green"} <= hues:
        yield "red and green"


def _hue(colour):
    """ "red", "green" or something else."""
    if name := re.search(r"red|green", colour):
        return name[0]
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", colour):
        return colour
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
    if saturation < 0.2:
        return "grey"
    return "green" if 75 < hue * 360 < 160 else "red" if min(hue, 1 - hue) * 360 < 20 else "other"
