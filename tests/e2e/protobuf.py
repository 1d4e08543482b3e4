"""Reads the protobuf format, with protoc as the decoder."""

import re
import subprocess

import processes
import scrape

ACCEPT = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)
CONTENT_TYPE = ACCEPT.replace(";", "; ")

_SCHEMA = processes.ROOT / "tests/e2e/client_metrics.proto"
_TOKEN = re.compile(r'\s*(\w+): ("(?:[^"\\]|\\.)*"|\S+)|\s*(\w+) \{|\s*(\})')
_ESCAPE = re.compile(rb'\\([0-7]{3}|.)')


def decode(data):
    """Lists the families of a response as dictionaries: of each field the list of its values,
    which are texts, as protoc wrote them, and dictionaries."""
    framed, rest = b"", data
    while rest:
        size, length = 0, 0
        while True:
            byte = rest[length]
            size |= (byte & 0x7F) << (7 * length)
            length += 1
            if byte < 0x80:
                break
        if len(rest) < length + size:
            raise AssertionError("a message is cut off")
        framed += b"\x0a" + rest[: length + size]  # field 1 of Response
        rest = rest[length + size :]
    text = subprocess.run(
        [
            "protoc",
            f"--proto_path={_SCHEMA.parent}",
            "--decode=io.prometheus.client.Response",
            _SCHEMA.name,
        ],
        input=framed,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    return _parse(text).get("family", [])


def _parse(text):
    stack = [{}]
    for match in _TOKEN.finditer(text):
        name, value, message, end = match.groups()
        if end:
            stack.pop()
        elif message:
            stack[-1].setdefault(message, []).append({})
            stack.append(stack[-1][message][-1])
        else:
            stack[-1].setdefault(name, []).append(_value(value))
    assert len(stack) == 1
    return stack[0]


def _value(text):
    if not text.startswith('"'):
        return text
    raw = _ESCAPE.sub(
        lambda m: bytes([int(m[1], 8)]) if len(m[1]) == 3 else {b"n": b"\n"}.get(m[1], m[1]),
        text[1:-1].encode(),
    )
    return raw.decode()


def one(message, field):
    """The value of a field that may be there once; None when it is not."""
    values = message.get(field, [])
    assert len(values) <= 1, (field, values)
    return values[0] if values else None


def labels_of(metric):
    return {one(pair, "name"): one(pair, "value") for pair in metric.get("label", [])}


def samples(families):
    """The samples that the text format has of the same, as tuples for scrape.Scrape."""
    found = []
    for family in families:
        name = one(family, "name")
        for metric in family["metric"]:
            labels = labels_of(metric)
            if histogram := one(metric, "histogram"):
                count = float(one(histogram, "sample_count"))
                found.append((name + "_count", labels, count))
                found.append((name + "_sum", labels, float(one(histogram, "sample_sum"))))
                buckets = [
                    (float(one(bucket, "upper_bound")), float(one(bucket, "cumulative_count")))
                    for bucket in histogram.get("bucket", [])
                ]
                if buckets:
                    buckets.append((float("inf"), count))
                for bound, below in buckets:
                    found.append((name + "_bucket", {**labels, "le": bound}, below))
            else:
                value = one(metric, one(family, "type").lower())
                found.append((name, labels, float(one(value, "value"))))
    return found


def native_buckets(histogram):
    """Lists (lower bound, upper bound, count) of a histogram's native buckets."""
    counts, count = [], 0
    for delta in histogram.get("positive_delta", []):
        count += int(delta)
        counts.append(count)
    base = 2 ** 2 ** -int(one(histogram, "schema"))
    index, buckets = 0, []
    for span in histogram.get("positive_span", []):
        index += int(one(span, "offset"))
        for _ in range(int(one(span, "length"))):
            buckets.append((base ** (index - 1), base**index, counts.pop(0)))
            index += 1
    assert not counts, "more deltas than buckets"
    return buckets


def normal(sample_list):
    """Samples in a form that can be compared: bounds as numbers."""
    normalised = {}
    for name, labels, value in sample_list:
        labels = dict(labels)
        if "le" in labels:
            labels["le"] = float(labels["le"])
        key = (name, tuple(sorted(labels.items())))
        assert key not in normalised, key
        normalised[key] = value
    return normalised


def text_samples(text):
    """The samples of the text format, as samples() has them."""
    seen = scrape.Scrape.parse(text)
    return [(name, labels, value) for name in seen.names() for labels, value in seen.series(name)]


def text_families(text):
    """Name, type and help of the families of the text format, in their order."""
    heads = re.findall(r"^# HELP (\S+) (.*)\n# TYPE \1 (\S+)$", text, re.MULTILINE)
    return [(name, kind, help_text) for name, help_text, kind in heads]


def family_heads(families):
    return [(one(f, "name"), one(f, "type").lower(), one(f, "help")) for f in families]
