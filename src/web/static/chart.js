// The smoke graph of a pair: its median, the spread of its round trips, and what was lost.

const CHART = { height: 206, left: 52, right: 8, top: 10, bottom: 166, strip: 18 };

/** The values of an axis from 0 to `most`: 1, 2 or 5 times a power of ten apart. */
function linearTicks(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, i) => i * step);
}

function logarithmicTicks(least, most) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); ++power) {
    ticks.push(10 ** power);
  }
  return ticks;
}

/** From round-trip times to places on paper: linear, or logarithmic where a few would flatten the rest. */
function makeScale(cells) {
  const highest = cells.map((cell) => cell.p99).filter((value) => value !== null);
  if (highest.length === 0) return { ticks: [] };  // nothing has a height
  const medians = cells.map((cell) => cell.median).filter((value) => value !== null).sort((a, b) => a - b);
  const most = Math.max(...highest, 1e-6);
  const usual = medians[medians.length >> 1] || most;
  const least = Math.min(...cells.map((cell) => cell.min).filter((value) => value !== null), most);
  const logarithmic = most > 8 * usual && least > 0;
  const ticks = logarithmic ? logarithmicTicks(least, most) : linearTicks(most);
  const read = logarithmic ? Math.log : (value) => value;
  const low = read(ticks[0]);
  const high = read(ticks[ticks.length - 1]);
  const { top, bottom } = CHART;
  return { ticks, y: (value) => bottom - ((read(value) - low) / (high - low)) * (bottom - top) };
}

const LEAST_CELLS = 60;  // of a graph, however short the history is

/** The columns of a history as cells, one for each `step` seconds; those without a reply have no times. */
function cellsOf(history) {
  const before = Math.max(0, LEAST_CELLS - history.sent.length);
  return Array.from({ length: before + history.sent.length }, (_, cell) => {
    const i = cell - before;
    const value = (name) => (i < 0 ? null : history[name][i]);
    return {
      start: (history.start + i * history.step) * 1000,
      sent: value("sent"), lost: value("lost"), min: value("min"), median: value("median"), p99: value("p99"),
    };
  });
}

/** Runs of cells for which `holds`: [first, past the last]. */
function runsOf(cells, holds) {
  const runs = [];
  cells.forEach((cell, i) => {
    if (!holds(cell)) return;
    const last = runs[runs.length - 1];
    if (last && last[1] === i) last[1] = i + 1;
    else runs.push([i, i + 1]);
  });
  return runs;
}

/** Steps along the cells from `first` to before `end`, in either direction. */
function steps(cells, first, end, x, y) {
  const way = end > first ? 1 : -1;
  let path = "";
  for (let i = first; i !== end; i += way) {
    const height = y(cells[i]).toFixed(1);
    path += `L${x(way > 0 ? i : i + 1)},${height}L${x(way > 0 ? i + 1 : i)},${height}`;
  }
  return path;
}

function drawTimes(cells, step, x) {
  const span = cells.length * step;
  const room = (x(1) - x(0)) / step / 1000;  // of a millisecond
  const every = [60e3, 300e3, 600e3, 1200e3, 3600e3, 4 * 3600e3].find((time) => time * room > 48) || 8 * 3600e3;
  const zone = new Date(cells[0].start).getTimezoneOffset() * 60e3;
  const marks = [];
  for (let time = Math.ceil((cells[0].start - zone) / every) * every + zone;
    time < cells[0].start + span * 1000; time += every) {
    const place = x((time - cells[0].start) / 1000 / step);
    marks.push(draw("path", { d: `M${place},${CHART.bottom + CHART.strip}v4`, class: "axis" }));
    if (place > CHART.left + 14 && place < x(cells.length) - 14) {
      marks.push(draw("text", { x: place, y: CHART.height - 5, "text-anchor": "middle" }, MINUTES.format(time)));
    }
  }
  return marks;
}

function describe(cell, step) {
  const end = cell.start + step * 1000;
  const format = step >= 60 ? MINUTES : CLOCK;
  const times = `${format.format(cell.start)} to ${format.format(end)}: `;
  if (!cell.sent) return `${times}nothing sent`;
  const loss = cell.lost > 0 ? `${formatCount(cell.lost)} of ${formatCount(cell.sent)} lost` : `${formatCount(cell.sent)} sent, none lost`;
  if (cell.median === null) return times + loss;
  return `${times}median ${formatRtt(cell.median)}, ${formatRtt(cell.min)} to ${formatRtt(cell.p99)} (99 %), ${loss}`;
}

/** A graph of `history` over `width`; `tell` gets the words for the cell under the pointer, or none. */
function drawSmoke(history, width, label, tell) {
  const cells = cellsOf(history);
  const { left, right, bottom, top, strip, height } = CHART;
  const scale = makeScale(cells);
  const wide = (width - left - right) / cells.length;
  const x = (i) => Number((left + i * wide).toFixed(2));
  const at = (name) => (cell) => scale.y(cell[name]);
  const smoke = [];
  for (const [first, end] of runsOf(cells, (cell) => cell.median !== null)) {
    const upper = steps(cells, first, end, x, at("p99"));
    const lower = steps(cells, end - 1, first - 1, x, at("min"));
    smoke.push(draw("path", { d: `M${(upper + lower).slice(1)}Z`, class: "smoke" }));
    smoke.push(draw("path", { d: `M${steps(cells, first, end, x, at("median")).slice(1)}`, class: "median" }));
  }
  const losses = runsOf(cells, (cell) => cell.lost > 0 && cell.lost === cell.sent).map(([first, end]) =>
    draw("rect", { x: x(first), width: x(end) - x(first), y: top, height: bottom - top, class: "outage" }));
  cells.forEach((cell, i) => {
    if (!cell.lost) return;
    const tall = 4 + cell.lost / cell.sent * (strip - 4);
    losses.push(draw("rect",
      { x: x(i), width: Math.max(wide + 0.4, 1.5), y: bottom + strip - tall, height: tall, class: "loss" }));
  });
  const grid = scale.ticks.map((tick) => [
    draw("path", { d: `M${left},${scale.y(tick)}H${width - right}`, class: "grid" }),
    draw("text", { x: left - 6, y: scale.y(tick) + 4, "text-anchor": "end" }, tick === 0 ? "0" : formatRtt(tick)),
  ]).flat();
  const cursor = draw("path", { class: "cursor" });
  const point = (event) => {
    const place = (event.clientX - chart.getBoundingClientRect().left - left) / wide;
    const cell = cells[Math.floor(place)];
    cursor.setAttribute("d", cell ? `M${x(Math.floor(place) + 0.5)},${top}V${bottom + strip}` : "");
    tell(cell ? describe(cell, history.step) : "");
  };
  const chart = draw("svg", {
    width, height, viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": label,
    onpointermove: point,
    onpointerleave: () => {
      cursor.setAttribute("d", "");
      tell("");
    },
  }, grid, draw("path", { d: `M${left},${bottom + strip}H${width - right}`, class: "axis" }),
  losses, smoke, drawTimes(cells, history.step, x),
  draw("text", { x: left - 6, y: bottom + strip, "text-anchor": "end" }, "lost"), cursor);
  return chart;
}

/** The same as numbers, for who does not see the graph; the latest come first. */
function numbersTable(history) {
  const format = history.step >= 60 ? MINUTES : CLOCK;
  return tableOf(["Time", "Sent", "Lost", "Minimum", "Median", "99 %"],
    cellsOf(history).reverse().filter((cell) => cell.sent).map((cell) => [format.format(cell.start),
      formatCount(cell.sent), formatCount(cell.lost), formatRtt(cell.min), formatRtt(cell.median), formatRtt(cell.p99)]));
}
