"""A real Prometheus that scrapes the exporter."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import exporter
import processes
import scrape

URL = "http://127.0.0.1:9090"
RULES = processes.ROOT / "deploy/prometheus/echo_exporter.rules.yml"

# Often, for many scrapes in little time; a scrape may take its whole interval.
CONFIG = f"""
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: ["{RULES}"]
scrape_configs:
  - job_name: echo_exporter
    static_configs:
      - targets: ["{exporter.ADDRESS}"]
"""




def build_rules(settings):
    """Makes rules as an administrator does who wants other thresholds: keys of config.toml."""
    config, folder = processes.work_file("mixin.toml"), processes.work_file("mixin")
    config.write_text(settings)
    builder = processes.ROOT / "deploy/mixin/build"
    command = [builder, "--config", config, "--output", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "prometheus/echo_exporter.rules.yml"


class Prometheus(processes.Daemon):
    def __init__(self, config=CONFIG, features=()):
        path = processes.work_file("prometheus.yml")
        path.write_text(config)
        self._data = processes.work_file("prometheus-data")
        command = [
            "prometheus",
            f"--config.file={path}",
            f"--storage.tsdb.path={self._data}",
            f"--web.listen-address={urllib.parse.urlsplit(URL).netloc}",
            "--log.level=warn",
            *(f"--enable-feature={feature}" for feature in features),
        ]
        super().__init__("prometheus", command)

    def __exit__(self, *error):
        super().__exit__(*error)
        shutil.rmtree(self._data)

    def is_ready(self):
        try:
            with urllib.request.urlopen(URL + "/-/ready", timeout=processes.PATIENCE) as response:
                return response.status == 200
        except OSError:
            return False

    def api(self, method, **parameters):
        """Calls the HTTP API and returns its data."""
        url = f"{URL}/api/v1/{method}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=processes.PATIENCE) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{url}: {error.read().decode()}") from error

    def query(self, expression):
        """Lists (labels, value) of an instant query."""
        result = self.api("query", query=expression)["result"]
        return [(series["metric"], float(series["value"][1])) for series in result]

    def scrapes(self, names="icmp_echo_.*", hours=1):
        """All scrapes so far as they were stored, oldest first, with the metrics whose names
        match and without buckets."""
        selector = f'{{__name__=~"{names}",__name__!~".*_bucket"}}[{hours}h]'
        by_time = {}
        for series in self.api("query", query=selector)["result"]:
            labels = dict(series["metric"])
            name = labels.pop("__name__")
            for time, value in series["values"]:
                by_time.setdefault(time, []).append((name, labels, float(value)))
        return [scrape.Scrape(by_time[time]) for time in sorted(by_time)]

    def wait_until(self, what, expression, condition=bool):
        """Asks until condition(result of the query) is true; returns that result."""

        def look():
            result = self.query(expression)
            return result if condition(result) else None

        return processes.wait_for(what, look)

    def wait_for_scrapes(self, count):
        self.wait_until(
            f"{count} scrapes",
            'sum_over_time(up{job="echo_exporter"}[1h])',
            lambda result: result and result[0][1] >= count,
        )
