// Worst first: the table of pairs.

const ROWS = 200;  // at first, and with each "more"
const MOST_ROWS = 1000;

// Without an order, names ascend, and badness; of numbers the largest come first, of times the latest.
const COLUMNS = [
  { sort: "state", title: "State" },
  { sort: "source", title: "Source", class: "wide" },
  { sort: "destination", title: "Destination" },
  { sort: "group", title: "Group", class: "wider" },
  { sort: "loss_1m", title: "Loss 1\u00a0min", number: true, class: "wide" },
  { sort: "loss_10m", title: "Loss 10\u00a0min", number: true },
  { sort: "loss_1h", title: "Loss 1\u00a0h", number: true, class: "wide" },
  { sort: "rtt_median", title: "Median RTT", number: true },
  { sort: "rtt_p99", title: "99 % RTT", number: true, class: "wide" },
  { sort: "consecutive_failures", title: "Failures in\u00a0a\u00a0row", number: true, class: "wider" },
  { sort: "state_since", title: "Since", number: true },
  { title: "Last hour", class: "wide" },
];

const SPARK = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The last hour by minutes: a line of medians, and marks for what was lost. */
function drawSpark(spark) {
  let line = "";
  let pen = "M";
  const marks = [];
  for (let i = 0; i < spark.rtt.length; ++i) {
    const level = SPARK.indexOf(spark.rtt[i]);
    if (level >= 0) {
      line += `${pen}${i * 2},${(20 - level * 0.28).toFixed(1)}`;
      pen = "L";
    } else {
      pen = "M";
    }
    const lost = Number(spark.lost[i]);  // a space is 0
    if (lost > 0) {
      const height = 3 + lost / 2;
      marks.push(draw("rect", { x: i * 2 - 0.8, y: 29 - height, width: 1.6, height, class: "loss" }));
    }
  }
  return draw("svg", { width: 120, height: 29, viewBox: "0 0 120 29", class: "spark", "aria-hidden": "true" },
    draw("path", { d: "M0,29.5H120", class: "axis" }), draw("path", { d: line, class: "median" }), marks);
}

/** One row, whose cells are touched only where they change. */
class Row {
  constructor() {
    this.state = make("td");
    this.source = make("td", { class: "wide" });
    this.link = make("a");
    this.dim = make("span", { class: "dim" });
    this.group = make("td", { class: "wider" });
    this.cells = {};
    const number = (name, kind = "number") => (this.cells[name] = make("td", { class: kind }));
    this.node = make("tr", {}, this.state, this.source,
      make("td", { class: "destination" }, this.link, " ", this.dim), this.group,
      number("loss_1m", "number wide"), number("loss_10m"), number("loss_1h", "number wide"),
      number("rtt_median"), number("rtt_p99", "number wide"), number("consecutive_failures", "number wider"),
      (this.since = make("td", { class: "number" })), (this.spark = make("td", { class: "wide" })));
  }

  /** What a pair is called never changes within a row. */
  name(pair) {
    this.source.append(nameOf(pair.source));
    this.link.append(nameOf(pair.destination));
    this.link.href = addressOf(pairPlace(pair));
    this.group.append(nameOf(pair.group));
    return this;
  }

  update(pair, now, lossy) {
    const once = (name, value, change) => {
      if (this[`last_${name}`] !== value) change();
      this[`last_${name}`] = value;
    };
    const why = pair.state === "down" && pair.last_outcome ? words(pair.last_outcome) : "";
    once("state", pair.state + why, () => this.state.replaceChildren(stateMark(pair.state),
      why && make("span", { class: "dim why" }, why)));
    const address = pair.destination_address === null ? "no address" : pair.destination_address;
    once("dim", address, () => this.dim.replaceChildren(
      address === pair.destination ? "" : `${shown(address)} `,
      make("span", { class: "narrow" }, "from ", nameOf(pair.source))));
    for (const name of ["loss_1m", "loss_10m", "loss_1h"]) {
      setText(this.cells[name], formatLoss(pair[name]));
      this.cells[name].classList.toggle("bad", pair[name] >= 0.5);
      this.cells[name].classList.toggle("warn", pair[name] >= lossy && pair[name] < 0.5);
      this.cells[name].classList.toggle("dim", !pair[name]);
    }
    setText(this.cells.rtt_median, formatRtt(pair.rtt_median_seconds));
    setText(this.cells.rtt_p99, formatRtt(pair.rtt_p99_seconds));
    setText(this.cells.consecutive_failures, formatCount(pair.consecutive_failures));
    this.cells.consecutive_failures.classList.toggle("dim", pair.consecutive_failures === 0);
    const since = Date.parse(pair.state_since);
    const span = formatSpan((now - since) / 1000, true);
    once("since", pair.state_since + span, () => this.since.replaceChildren(
      make("span", { class: "dim wide" }, momentOf(pair.state_since, now), " "), span));
    const spark = pair.spark ? JSON.stringify(pair.spark) : "";
    once("spark", spark, () => this.spark.replaceChildren(spark && drawSpark(pair.spark)));
  }
}

class PairTable {
  constructor() {
    this.limit = ROWS;
    this.rows = new Map();
    this.head = make("tr");
    this.body = make("tbody");
    this.summary = make("p", { class: "dim summary" });
    this.more = make("button", { type: "button", onclick: () => {
      this.limit += ROWS;
      refresh();
    } });
    this.table = make("table", { id: "pairs" }, make("caption", {}, "Pairs"),
      make("thead", {}, this.head), this.body);
    this.node = make("div", {}, make("div", { class: "scroll" }, this.table),
      make("div", { class: "foot" }, this.summary, this.more));
    this.heads = COLUMNS.map((column) => this.makeHead(column));
    this.head.append(...this.heads.map((head) => head.node));
  }

  makeHead(column) {
    const kind = [column.number ? "number" : "", column.class || ""].join(" ").trim() || null;
    if (!column.sort) return { node: make("th", { scope: "col", class: kind }, make("span", {}, column.title)) };
    const button = make("button", { type: "button" }, column.title);
    button.addEventListener("click", () => {
      const again = this.place.sort === column.sort;
      go({ sort: column.sort, order: !again ? "" : this.orderOf(this.place) === "ascending" ? "desc" : "asc" });
    });
    return { sort: column.sort, node: make("th", { scope: "col", class: kind }, button) };
  }

  orderOf({ sort, order }) {
    const descends = order ? order === "desc" : COLUMNS.some((column) => column.sort === sort && column.number);
    return descends ? "descending" : "ascending";
  }

  title() {
    return "Pairs, worst first";
  }

  load(place) {
    const { q, group, state, sort, order } = place;
    return request(`api/v1/pairs?${query({ q, group, state, sort, order, limit: this.limit })}`);
  }

  update({ pairs, total }, status, place) {
    this.place = place;
    const now = Date.parse(status.time);
    for (const head of this.heads) {
      if (!head.sort) continue;
      if (head.sort === place.sort) setAttribute(head.node, "aria-sort", this.orderOf(place));
      else head.node.removeAttribute("aria-sort");
    }
    const before = this.rows;
    this.rows = new Map();
    let next = this.body.firstChild;
    for (const pair of pairs) {
      const key = JSON.stringify(pairKey(pair));
      const row = before.get(key) || new Row().name(pair);
      row.update(pair, now, status.lossy_threshold);
      this.rows.set(key, row);
      // A row that keeps its place stays in the document, and so does the focus in it.
      if (row.node === next) next = next.nextSibling;
      else this.body.insertBefore(row.node, next);
    }
    for (const [key, row] of before) {
      if (!this.rows.has(key)) row.node.remove();
    }
    this.explain(pairs.length, total, place);
  }

  explain(count, total, place) {
    setText(this.summary, total === 0 ? whyNone(place)
      : `${formatCount(count)} of ${plural(total, "pair")}${isFiltered(place) ? " that match" : ""}`);
    const left = total - count;
    this.more.hidden = left === 0 || this.limit === MOST_ROWS;
    setText(this.more, `${formatCount(left)} more`);
    this.table.parentNode.hidden = total === 0;
  }
}
