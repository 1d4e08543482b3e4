// One pair: its numbers, its last hour and day, its outages and failures, and a probe now.

/** A label value in PromQL. */
const quote = (text) =>
  `"${text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\"", "\\\"")}"`;

function promqlOf(pair) {
  const selector = Object.entries(pairKey(pair)).map(([name, value]) => `${name}=${quote(value)}`).join(",");
  const rate = (but) => `sum(rate(icmp_echo_outcomes_total{${selector},outcome!~"${but}"}[5m]))`;
  return [
    ["Loss", `${rate("reply|suspended|no_resources")} / ${rate("suspended|no_resources")}`],
    ["99th percentile of RTT",
      `histogram_quantile(0.99, sum by (le) (rate(icmp_echo_rtt_seconds_bucket{${selector}}[5m])))`],
    ["Up or not", `icmp_echo_up{${selector}}`],
  ];
}

const listOf = (class_name, items) => make("dl", { class: class_name },
  items.map(([term, ...values]) => make("div", {}, make("dt", {}, term), make("dd", {}, ...values))));

function panel(title, ...children) {
  return make("section", { class: "panel" }, make("h3", {}, title), ...children);
}

function copyButton(code) {
  const button = make("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(code);
    try {
      await navigator.clipboard.writeText(code.textContent);
      setText(button, "Copied");
    } catch {  // browsers have a clipboard for pages over TLS only
      setText(button, "Selected: press Ctrl+C");
    }
  });
  return button;
}

class PairView {
  constructor() {
    this.heading = make("h2");
    this.state = make("p", { class: "since" });
    this.facts = make("section", { class: "panel", "aria-label": "Now" });
    this.graphs = ["fine", "coarse"].map((name) => this.makeGraph(name));
    this.outages = make("div", { class: "scroll list", tabindex: 0 });
    this.failures = make("div", { class: "scroll list", tabindex: 0 });
    this.queries = make("div");
    this.answer = make("p", { role: "status", class: "answer" });
    this.probe = make("button", { type: "button", onclick: () => this.probeNow() }, "Probe now");
    this.node = make("div", { class: "pair" },
      make("div", { class: "title" }, make("div", {}, this.heading, this.state),
        make("div", { class: "action" }, this.answer, this.probe)),
      this.facts, ...this.graphs.map((graph) => graph.node),
      make("div", { class: "two" }, panel("Last outages", this.outages),
        panel("Last failures", this.failures)),
      panel("In Prometheus", this.queries));
    this.resized = new ResizeObserver(() => this.pair && this.drawGraphs());
    this.resized.observe(this.graphs[0].paper);
  }

  makeGraph(name) {
    const graph = {
      name,
      title: make("h3"),
      paper: make("div", { class: "paper" }),
      words: make("p", { class: "dim words", "aria-hidden": "true" }),
      numbers: make("div", { class: "scroll numbers", tabindex: 0 }),
    };
    const details = make("details", {}, make("summary", {}, "Numbers"), graph.numbers);
    details.addEventListener("toggle", () => this.drawGraphs());
    graph.details = details;
    graph.node = make("section", { class: "panel" }, graph.title, graph.paper, graph.words, details);
    return graph;
  }

  title(place) {
    return `${shown(place.source)} to ${shown(place.destination)}`;
  }

  load(place) {
    return request(`api/v1/pair?${query(pairKey({ ...place, labels: place }))}`);
  }

  async probeNow() {
    this.probe.disabled = true;
    setText(this.answer, "Probing\u2026");
    try {
      const reply = await request(`api/v1/probe?${query(pairKey(this.pair))}`,
        { method: "POST", headers: { "X-Echo-Exporter": "page" } });
      setText(this.answer, reply.error ? reply.error : reply.outcome === "reply"
        ? `Reply from ${shown(reply.responder || "")} after ${formatRtt(reply.rtt_seconds)}${reply.ttl ? `, TTL ${reply.ttl}` : ""}`
        : `No reply: ${words(reply.outcome)}${reply.responder ? `, from ${shown(reply.responder)}` : ""}`);
    } catch (error) {
      setText(this.answer, error.message);
    }
    this.probe.disabled = false;
  }

  update(pair, status, place) {
    const now = Date.parse(status.time);
    const fresh = !this.pair || this.answerOf !== addressOf(place);
    this.answerOf = addressOf(place);
    this.pair = pair;
    if (fresh) {
      this.heading.replaceChildren(nameOf(pair.source), " to ", nameOf(pair.destination));
      this.queries.replaceChildren(...promqlOf(pair).map(([title, text]) => {
        const code = make("code", {}, text);
        return make("div", { class: "query" }, make("span", { class: "dim" }, title), code, copyButton(code));
      }));
      setText(this.answer, "");
    }
    this.probe.hidden = !status.allow_actions;
    const since = make("time", { datetime: pair.state_since }, FULL.format(Date.parse(pair.state_since)));
    const lasted = formatSpan((now - Date.parse(pair.state_since)) / 1000);
    this.state.replaceChildren(stateMark(pair.state), ` for ${lasted}, since `, since);
    this.facts.replaceChildren(this.makeFacts(pair));
    this.drawGraphs();
    this.list(this.outages, ["Start", "End", "Length", "Outcome"], pair.outages.map(({ start, end, outcome }) => [momentOf(start, now),
      end === null ? make("b", { class: "bad" }, "goes on") : momentOf(end, now),
      formatSpan(((end === null ? now : Date.parse(end)) - Date.parse(start)) / 1000), words(outcome)]));
    this.list(this.failures, ["Time", "Outcome", "Told by"], pair.failures.map(({ time, outcome, responder }) =>
      [momentOf(time, now), words(outcome), responder === null ? NONE : shown(responder)]));
  }

  makeFacts(pair) {
    const to = pair.destination_address;
    const addresses = to ? `${pair.source_address || "any"} to ${to}` : NONE;
    const labels = Object.entries(pair.labels).map(([name, value]) => `${name}=${shown(value)}`).join(", ");
    return listOf("facts", [
      ["Loss 1 min", formatLoss(pair.loss_1m)],
      ["10 min", formatLoss(pair.loss_10m)],
      ["1 h", formatLoss(pair.loss_1h)],
      ["Median RTT", formatRtt(pair.rtt_median_seconds)],
      ["99 %", formatRtt(pair.rtt_p99_seconds)],
      ["Failures in a row", formatCount(pair.consecutive_failures)],
      ["TTL of replies", pair.ttl === null ? NONE : String(pair.ttl)],
      ["Interval, timeout", `${formatRtt(pair.interval_seconds)}, ${formatRtt(pair.timeout_seconds)}`],
      ["Group", nameOf(pair.group)],
      ["Addresses", addresses],
      ...(labels ? [["Labels", make("bdi", {}, labels)]] : []),
    ]);
  }

  drawGraphs() {
    for (const graph of this.graphs) {
      const history = this.pair.history && this.pair.history[graph.name];
      graph.node.hidden = !history || history.sent.length === 0;
      if (graph.node.hidden) continue;
      const seconds = Math.max(LEAST_CELLS, history.sent.length) * history.step;
      const span = { 3600: "hour", 86400: "day" }[seconds] || formatSpan(seconds);
      setText(graph.title, `Last ${span}`);
      graph.title.append(make("span", { class: "dim" },
        ` each ${formatSpan(history.step)}; line: median, band: smallest to 99 % of the round trips, red: lost`));
      const width = Math.max(280, Math.floor(graph.paper.clientWidth));
      graph.paper.replaceChildren(drawSmoke(history, width, `Round-trip times of the last ${span}`,
        (words) => setText(graph.words, words)));
      graph.numbers.replaceChildren(...(graph.details.open ? [numbersTable(history)] : []));
    }
  }

  list(place, heads, rows) {
    place.replaceChildren(rows.length === 0 ? make("p", { class: "dim" }, "None.") : tableOf(heads, rows));
  }
}
