"""What the dashboards, which are of Grafana 10 or later, are made of: queries, panels and variables."""

# Told apart by colour-blind people, too (the colours of Okabe and Ito).
GOOD, DOUBTFUL, BAD = "#56B4E9", "#E69F00", "#D55E00"
OTHERS = ("#0072B2", "#CC79A7", "#F0E442")
UNKNOWN = "#8E8E8E"

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
PAIR = ("job", "instance", "group", "source", "destination")
# With the addresses of a name, where each is a pair. No link has it: Grafana leaves the name of a field
# that is not there in the place of its value.
EACH = (*PAIR, "address")

# Outcomes of which loss is a share.
LOST = 'outcome!~"reply|suspended|no_resources"'
JUDGED = 'outcome!~"suspended|no_resources"'


# Queries


def one_of(*names):
    """Matchers of variables of which several values may be chosen."""
    return ",".join(f'{name}=~"${name}"' for name in names)


def exactly(*names):
    return ",".join(f'{name}="${name}"' for name in names)


def raw(name, matchers, more=""):
    """A metric as it was scraped, with a place for the configured selector."""
    return f"{name}{{@,{matchers}{',' * bool(more)}{more}}}"


def recorded(name, matchers):
    return f"{name}{{{matchers}}}"


def by(labels, expr, how="max"):
    """Only these labels: a group's own ones would tear apart what belongs in one row of a table."""
    return f"{how} by ({', '.join(labels)}) ({expr})"


def grown(counter):
    """What was counted in the time shown, from two samples of each series, however long that time is."""
    return f"(({counter} - {counter} offset $__range) >= 0 or {counter})"


def share(part, whole):
    """A ratio whose series has the two numbers as labels, to be shown as "part of whole"."""
    numbers = "".join(
        f' * on () group_left ({name}) count_values("{name}", {expr})'
        for name, expr in (("part", part), ("whole", whole))
    )
    return f"{part} / {whole}{numbers}"


def quantile(q, name, matchers):
    """Of a histogram with classic buckets or a native one."""
    kinds = (raw(name + "_bucket", matchers), raw(name, matchers))
    return " or ".join(f"histogram_quantile({q}, rate({kind}[$__rate_interval]))" for kind in kinds)


def scraped(matchers):
    """1 or 0 for each exporter that Prometheus is to scrape."""
    up = raw("up", matchers)
    known = ("(job, instance) instance:echo_exporter:known", "(job) job:echo_exporter:known")
    return by(("job", "instance"), " or ".join(f"{up} and on {exporters}" for exporters in known))


def gone(matchers):
    """0 for each exporter that is down, also if Prometheus is no longer to scrape it."""
    return "0 * " + by(("job", "instance"), f'ALERTS{{alertname="EchoExporterDown",{matchers}}}')


def target(expr, legend="", instant=False, form="time_series"):
    return {
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": expr,
        "format": form,
        "instant": instant,
        "legendFormat": legend,
        "range": not instant,
    }


# Panels


def steps(*pairs):
    """Colours from the given values on; what has no value is grey."""
    first = [{"color": UNKNOWN, "value": None}]
    return first + [{"color": colour, "value": value} for value, colour in pairs]


def from_zero(doubtful, bad):
    """Steps for cells of tables of what is better the less it is."""
    colours = zip((None, doubtful, bad), ("transparent", DOUBTFUL, BAD))
    return [{"color": colour, "value": value} for value, colour in colours]


def filled(levels):
    """Properties of cells that have the colours of these steps."""
    return {
        "custom.cellOptions": {"type": "color-background", "mode": "basic"},
        "thresholds": {"mode": "absolute", "steps": levels},
    }


def texts(shown):
    """Shows words, in colours, for values: texts({0: ("down", BAD)})."""
    options = {
        str(value): {"color": colour, "index": index, "text": text}
        for index, (value, (text, colour)) in enumerate(shown.items())
    }
    return [{"type": "value", "options": options}]


def override(matcher, options, properties):
    listed = [{"id": name, "value": value} for name, value in properties.items()]
    return {"matcher": {"id": matcher, "options": options}, "properties": listed}


def link(title, dashboard_uid, variables):
    """A link to a dashboard that keeps data source and time."""
    chosen = "".join(f"&var-{name}=${{{value}:percentencode}}" for name, value in variables.items())
    url = f"/d/{dashboard_uid}?var-datasource=${{datasource}}{chosen}&${{__url_time_range}}"
    return {"title": title, "url": url}


def link_of_row(title, dashboard_uid, labels):
    return link(title, dashboard_uid, {name: f"__data.fields.{name}" for name in labels})


def panel(kind, title, description, size, targets, options, overrides=(), transformations=(), **defaults):
    """`size` is (width, height); the defaults are those of the fields."""
    return {
        "type": kind,
        "title": title,
        "description": description,
        "size": size,
        "datasource": SOURCE,
        "targets": [one | {"refId": letter} for letter, one in zip("ABCDEFGHIJ", targets)],
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
        "transformations": list(transformations),
        "pluginVersion": "10.2.0",
    }


def stat(
    title, description, expr, unit, levels, *, width=4, legend="", mappings=(), none="no data", decimals=None
):
    """One value now; with a legend, that and its name."""
    options = {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "value_and_name" if legend else "value",
    }
    nothing = {"match": "null+nan", "result": {"color": UNKNOWN, "index": len(mappings) + 9, "text": none}}
    return panel(
        "stat", title, description, (width, 4), [target(expr, legend, instant=True)], options,
        unit=unit,
        color={"mode": "thresholds"},
        thresholds={"mode": "absolute", "steps": levels},
        mappings=[*mappings, {"type": "special", "options": nothing}],
        noValue=none,
        **({} if decimals is None else {"decimals": decimals}),
    )


def series(title, description, queries, unit, *, width=12, colours=None, stacked=False, dashed=""):
    """Lines over time; `queries` maps legends to queries, `dashed` is the pattern of some legends."""
    custom = {
        "drawStyle": "bars" if stacked else "line",
        "fillOpacity": 70 if stacked else 0,
        "lineWidth": 0 if stacked else 1,
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
    }
    overrides = [
        override("byName", name, {"color": {"mode": "fixed", "fixedColor": colour}})
        for name, colour in (colours or {}).items()
    ]
    if dashed:
        line = {"custom.lineStyle": {"fill": "dash", "dash": [8, 6]}}
        overrides.append(override("byRegexp", dashed, line))
    options = {
        "legend": {
            "calcs": ["lastNotNull", "max"],
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
            "sortBy": "Max",
            "sortDesc": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    targets = [target(expr, legend) for legend, expr in queries.items()]
    return panel(
        "timeseries", title, description, (width, 9), targets, options, overrides,
        unit=unit, min=0, color={"mode": "palette-classic"}, custom=custom,
    )


def states(title, description, queries, mappings, *, width=24, height=4):
    """States over time, a line for each series; `queries` maps legends to queries."""
    options = {
        "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    targets = [target(expr, legend) for legend, expr in queries.items()]
    return panel(
        "state-timeline", title, description, (width, height), targets, options,
        color={"mode": "thresholds"},
        thresholds={"mode": "absolute", "steps": steps()},
        custom={"fillOpacity": 80, "lineWidth": 0, "spanNulls": False},
        mappings=mappings,
    )


def heat_map(title, description, name, matchers, unit, *, width=24):
    """A histogram over time. Grafana draws the native one where there are both."""
    buckets, native = (f"rate({raw(one, matchers)}[$__rate_interval])" for one in (name + "_bucket", name))
    options = {
        "calculate": False,
        "cellGap": 1,
        "cellValues": {"unit": "cps"},
        "color": {
            "exponent": 0.5,
            "fill": "dark-orange",
            "mode": "scheme",
            "reverse": False,
            "scale": "exponential",
            "scheme": "Oranges",
            "steps": 64,
        },
        "exemplars": {"color": OTHERS[0]},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "show": True, "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
    targets = [target(by(["le"], buckets, "sum"), "{{le}}", form="heatmap"), target(f"sum({native})")]
    return panel("heatmap", title, description, (width, 9), targets, options, unit=unit)


def table(title, description, columns, labels, more=(), *, width=12, links=(), sort=""):
    """A row for each set of labels; `more` are labels that only some of the columns have.

    `columns` maps the name of each to its query and the properties of its cells. The name travels as a
    label: how Grafana names a value depends on how many of the queries have found something.
    """
    targets = [
        target(f'label_replace({expr}, "column", "{name}", "", "")', instant=True)
        for name, (expr, _) in columns.items()
    ]
    cells = [override("byName", name, properties) for name, (_, properties) in columns.items()]
    names = [*labels, *more, *columns]
    return _table(title, description, targets, "column", (width, 9), names, cells, links, sort)


def matrix(title, description, expr, rows, column, links, levels, unit):
    """A row for each set of the labels `rows`, a column for each value of the label `column`."""
    properties = {"links": links, "unit": unit, "custom.minWidth": 70} | filled(levels)
    cells = override("byType", "number", properties)
    return _table(title, description, [target(expr, instant=True)], column, (24, 12), rows, [cells])


def _table(title, description, targets, column, size, names, overrides, links=(), sort=""):
    options = {
        "cellHeight": "sm",
        "footer": {"show": False},
        "showHeader": True,
        "sortBy": [{"displayName": sort, "desc": True}] if sort else [],
    }
    order = {name: index for index, name in enumerate(names)}
    transformations = [
        {"id": "labelsToFields", "options": {"mode": "columns", "valueLabel": column}},
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": order}},
    ]
    return panel(
        "table", title, description, size, targets, options, overrides, transformations,
        color={"mode": "thresholds"}, custom={"align": "auto", "filterable": True}, links=list(links),
    )


# Dashboards


def variable(name, label, metric, matchers, *, several=True, every=".*"):
    """A label of a raw metric; `every` is what stands for all of its values, if not their list."""
    return _variable(name, label, raw(metric, matchers), several, every)


def job_variable(several=True):
    # Other jobs have series of the same names, such as up: so the list of these jobs stands for all.
    return _variable("job", "Job", "instance:echo_exporter:known", several, "")


def instance_variable(several=True, every=".*"):
    known = recorded("instance:echo_exporter:known", one_of("job") if several else exactly("job"))
    return _variable("instance", "Exporter", known, several, every)


def _variable(name, label, selector, several, every):
    query = f"label_values({selector}, {name})"
    made = {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": SOURCE,
        "definition": query,
        "query": {"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]} if several else {},
    }
    return made | ({"allValue": every} if several and every else {})


def annotation(expr, text):
    """Stretches of time in which alerts fire."""
    return {
        "datasource": SOURCE,
        "enable": True,
        "iconColor": BAD,
        "name": "Firing alerts",
        "expr": expr,
        "step": "60s",
        "target": {"expr": expr, "interval": "60s", "refId": "Anno"},
        "titleFormat": "{{alertname}}",
        "textFormat": text,
        "tagKeys": "severity",
    }


def dashboard(uid, title, description, variables, alerts, rows):
    """`rows` maps titles to panels, which are placed from left to right and down."""
    placed, y = [], 0
    for name, panels in rows.items():
        head = {"type": "row", "title": name, "collapsed": False, "panels": []}
        placed.append(head | {"gridPos": {"h": 1, "w": 24, "x": 0, "y": y}})
        x, y, tallest = 0, y + 1, 0
        for one in panels:
            width, height = one.pop("size")
            if x + width > 24:
                x, y, tallest = 0, y + tallest, 0
            placed.append(one | {"gridPos": {"h": height, "w": width, "x": x, "y": y}})
            x, tallest = x + width, max(tallest, height)
        y += tallest
    source = {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus"}
    others = {
        "type": "dashboards",
        "title": "echo_exporter",
        "tags": ["echo_exporter"],
        "keepTime": True,
        "includeVars": False,
        "asDropdown": True,
    }
    return {
        "uid": uid,
        "id": None,
        "title": title,
        "description": description,
        "tags": ["icmp", "echo_exporter"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "links": [others],
        "templating": {"list": [source | {"current": {}, "refresh": 1}, *variables]},
        "annotations": {"list": [alerts]},
        "panels": [one | {"id": index} for index, one in enumerate(placed, 1)],
    }
