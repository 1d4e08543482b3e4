// The matrix: a row for each destination, or group, and a column for each source.

const SLOWER = [1.5, 2, 4];  // times the usual
const MILLISECONDS = [1, 3, 10, 30, 100, 300];

/** A cell of the API; null: no such pair. Of a group it has `count` pairs. */
function readCell(cell) {
  if (cell === null) return null;
  const [state, loss, rtt, ratio, count = 1, bad = Number(state > 0)] = cell;
  return { state: STATES[state], loss, rtt, ratio, count, bad };
}

/** What a cell looks like: its class, and a few characters. */
function faceOf(cell, show) {
  if (cell === null) return ["absent", ""];
  if (cell.count > 1 && cell.bad > 0) return [cell.state, `${cell.bad}/${cell.count}`];
  if (cell.state === "lossy" && cell.loss !== null) return ["lossy", formatLoss(cell.loss).replace(" ", "")];
  if (cell.state !== "up") return [cell.state, GLYPHS[cell.state]];
  if (cell.rtt === null) return ["empty", NONE];
  if (show === "rtt") return [`level${MILLISECONDS.filter((limit) => cell.rtt >= limit).length}`, formatRtt(cell.rtt / 1000).replace(" ms", "")];
  const level = SLOWER.filter((limit) => cell.ratio >= limit).length;
  return level === 0 ? ["usual", GLYPHS.up] : [`level${level * 2}`, `${cell.ratio.toFixed(cell.ratio < 9.95 ? 1 : 0)}\u00d7`];
}

function describeCell(row, source, cell) {
  const place = row.destination === undefined ? `group ${shown(row.group)}` : shown(row.destination);
  const where = `${shown(source)} to ${place}`;
  if (cell === null) return `${where}: no such pair`;
  const parts = [cell.count > 1 && cell.bad > 0 ? `${cell.bad} of ${plural(cell.count, "pair")} not up` : cell.state];
  if (cell.loss) parts.push(`loss ${formatLoss(cell.loss)} in 10 min`);
  if (cell.rtt !== null) {
    parts.push(`median ${formatRtt(cell.rtt / 1000)}${cell.ratio === null ? "" : `, ${cell.ratio} times the usual`}`);
  } else if (cell.state === "up") {
    parts.push("no replies to measure yet");
  }
  return `${where}: ${parts.join("; ")}`;
}

class MatrixView {
  constructor() {
    this.detail = make("p", { class: "detail dim", role: "status" });
    this.legend = make("p", { class: "legend" });
    this.scroll = make("div", { class: "scroll matrix" });
    this.none = make("p", { class: "dim summary" });
    this.node = make("div", {}, this.legend, this.scroll, this.none, this.detail);
    this.scroll.addEventListener("click", (event) => this.open(this.placeOf(event.target)));
    this.scroll.addEventListener("keydown", (event) => this.move(event));
    for (const name of ["mouseover", "focusin"]) {
      this.scroll.addEventListener(name, (event) => this.tell(this.placeOf(event.target)));
    }
  }

  title() {
    return "Matrix";
  }

  load({ q, group, state, by }) {
    return request(`api/v1/matrix?${query({ q, group, state, by: by === "group" ? by : "" })}`);
  }

  update({ sources, rows, total }, status, place) {
    this.sources = sources;
    this.place = place;
    this.rows = rows.map((row) => ({ ...row, cells: row.cells.map(readCell) }));
    const shape = JSON.stringify([place.by, sources, this.rows.map((row) => [row.group, row.destination, row.address])]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.build();
    }
    this.lines.forEach((line, r) => line.seen && this.paint(r));
    this.count();
    this.explain(place.show);
    this.scroll.hidden = this.rows.length === 0;
    setText(this.none, this.rows.length === 0 ? whyNone(place)
      : `${formatCount(rows.length)} of ${plural(total, "row")}, ${plural(sources.length, "source")}`);
  }

  build() {
    const heads = this.sources.map((source) =>
      make("th", { scope: "col", title: source }, make("span", {}, nameOf(source))));
    this.columnTotals = this.sources.map(() => make("td"));
    this.allTotal = make("td");
    // A row gets its cells when it comes near to what is seen of the matrix: 20,000 at once take long.
    this.lines = this.rows.map(() => ({ seen: false, node: make("tr"), total: make("td", { class: "total" }) }));
    const watch = new IntersectionObserver((changes) => {
      for (const { target, isIntersecting } of changes) {
        const r = this.lines.findIndex((line) => line.node === target);
        if (r < 0) continue;  // of a matrix before this one
        this.lines[r].seen = isIntersecting;
        if (isIntersecting) this.paint(r);
      }
    }, { root: this.scroll, rootMargin: "600px" });
    const body = make("tbody");
    let group = null;
    this.rows.forEach((row, r) => {
      const several = row.destination !== undefined && this.rows[0].group !== this.rows[this.rows.length - 1].group;
      if (several && row.group !== group) {
        group = row.group;
        body.append(make("tr", { class: "group" },
          make("th", { scope: "colgroup", colspan: this.sources.length + 2 }, make("span", {}, nameOf(group)))));
      }
      const name = row.destination === undefined ? row.group : row.destination;
      const address = row.address_label || row.address;
      const other = address && address !== name ? make("span", { class: "dim" }, ` ${shown(address)}`) : "";
      this.lines[r].node.append(make("th", { scope: "row", title: name }, nameOf(name), other));
      body.append(this.lines[r].node);
      watch.observe(this.lines[r].node);
    });
    const corner = this.place.by === "group" ? "Group" : "Destination";
    const columns = Array.from({ length: this.sources.length + 2 }, () => make("col"));
    this.scroll.replaceChildren(make("table", { role: "grid", "aria-label": "Destinations by sources" },
      make("colgroup", {}, columns),
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, corner), heads, make("th", { scope: "col" }, "Not up")),
        make("tr", { class: "totals" }, make("th", { scope: "row" }, "Not up"), this.columnTotals, this.allTotal)),
      body));
    if (this.rows.length > 0) this.cellsOf(0)[0].tabIndex = 0;
    // What gets the focus is not behind the heads.
    const head = this.scroll.querySelector("thead");
    this.scroll.style.scrollPadding = `${head.offsetHeight}px 0 0 ${head.querySelector("th").offsetWidth}px`;
  }

  cellsOf(r) {
    const line = this.lines[r];
    if (!line.cells) {
      line.cells = this.sources.map(() => make("td"));
      line.faces = [];
      line.node.append(...line.cells, line.total);
    }
    return line.cells;
  }

  paint(r) {
    const cells = this.cellsOf(r);
    const { faces } = this.lines[r];
    this.rows[r].cells.forEach((cell, c) => {
      const [kind, text] = faceOf(cell, this.place.show);
      const face = `${kind} ${text}`;
      if (faces[c] === face) return;
      faces[c] = face;
      cells[c].className = kind;
      cells[c].textContent = text;
    });
  }

  /** How many pairs are not up: in each row and column, and in all. */
  count() {
    const bad = this.sources.map(() => 0);
    const all = this.sources.map(() => 0);
    const write = (node, part, whole) => {
      setText(node, whole === 0 ? "" : formatCount(part));
      setAttribute(node, "title", `${formatCount(part)} of ${formatCount(whole)}`);
      node.classList.toggle("some", part > 0);
    };
    const sum = (values) => values.reduce((a, b) => a + b, 0);
    this.rows.forEach((row, r) => {
      row.cells.forEach((cell, c) => {
        bad[c] += cell ? cell.bad : 0;
        all[c] += cell ? cell.count : 0;
      });
      const some = row.cells.filter((cell) => cell !== null);
      write(this.lines[r].total, sum(some.map((cell) => cell.bad)), sum(some.map((cell) => cell.count)));
    });
    this.columnTotals.forEach((node, c) => write(node, bad[c], all[c]));
    write(this.allTotal, sum(bad), sum(all));
  }

  explain(show) {
    if (this.explained === show) return;
    this.explained = show;
    const sample = (kind, text, words) => make("span", {}, make("span", { class: `cell ${kind}`, "aria-hidden": "true" }, text), ` ${words}`);
    const times = show === "rtt"
      ? ["under 1 ms", ...MILLISECONDS.map((limit) => `from ${limit}`)].map((words, i) => sample(`level${i}`, "", words))
      : [sample("usual", GLYPHS.up, "up, RTT as usual"), ...SLOWER.map((limit, i) => sample(`level${i * 2 + 2}`, `${limit}\u00d7`, i === 2 ? "the usual RTT, or more" : ""))];
    this.legend.replaceChildren(...times, sample("lossy", "2%", "lossy"), sample("down", GLYPHS.down, "down"),
      sample("unresolved", GLYPHS.unresolved, "unresolved"), sample("empty", NONE, "no data"));
  }

  /** [row, column] of the cell that an event is about. */
  placeOf(target) {
    const cell = target.closest("td");
    const r = cell ? this.lines.findIndex((line) => line.node === cell.parentNode) : -1;
    const c = r < 0 ? -1 : this.lines[r].cells.indexOf(cell);
    return c < 0 ? null : [r, c];
  }

  tell(place) {
    if (!place) return;
    const [r, c] = place;
    const words = describeCell(this.rows[r], this.sources[c], this.rows[r].cells[c]);
    setText(this.detail, words);
    this.cellsOf(r)[c].setAttribute("aria-label", words);
  }

  open(place) {
    if (!place) return;
    const row = this.rows[place[0]];
    const source = this.sources[place[1]];
    if (row.cells[place[1]] === null) return;
    if (row.destination === undefined) go({ by: "destination", group: row.group });
    else go(pairPlace({ ...row, source, labels: { address: row.address_label } }));
  }

  /** Arrows move between cells, Enter opens one. */
  move(event) {
    const place = this.placeOf(event.target);
    if (!place) return;
    const [r, c] = place;
    const last = this.sources.length - 1;
    const way = {
      ArrowUp: [r - 1, c], ArrowDown: [r + 1, c], ArrowLeft: [r, c - 1], ArrowRight: [r, c + 1],
      Home: [r, 0], End: [r, last], PageUp: [Math.max(0, r - 20), c], PageDown: [Math.min(this.rows.length - 1, r + 20), c],
    }[event.key];
    if (event.key === "Enter") {
      this.open(place);
    } else if (way && this.lines[way[0]] && this.cellsOf(way[0])[way[1]]) {
      this.cellsOf(r)[c].tabIndex = -1;
      this.cellsOf(way[0])[way[1]].tabIndex = 0;
      this.cellsOf(way[0])[way[1]].focus();
    } else if (!way) {
      return;
    }
    event.preventDefault();
  }
}
