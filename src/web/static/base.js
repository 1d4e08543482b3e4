"use strict";

// Names and texts may be anything, so they become text nodes and never markup.

const SVG = "http://www.w3.org/2000/svg";

/** Gives an element its attributes, listeners ("onclick": function) and children. */
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      node.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== false) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.flat().filter((child) => child !== null));
  return node;
}

const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** Touches the document only where it changes: a reader's selection and a screen reader's place stay. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Characters that are not seen, or that turn the text around them, as their code. */
const shown = (text) =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (c) => `\u27e8U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`);

/** An outcome as in metrics, for readers. */
const words = (outcome) => outcome.replaceAll("_", " ");

/** A name from the configuration or from a target list, apart from the text around it. */
const nameOf = (text) => make("bdi", text.length > 24 ? { class: "long" } : {}, shown(text));

const STATES = ["up", "lossy", "down", "unresolved"];
const GLYPHS = { up: "\u2713", lossy: "\u2248", down: "\u00d7", unresolved: "?" };
const NONE = "\u2013";

const stateMark = (state) => make("span", { class: `state ${state}` },
  make("span", { class: "glyph", "aria-hidden": "true" }, GLYPHS[state]), make("span", { class: "word" }, state));

/** A table, whose cells are texts or nodes. */
const tableOf = (heads, rows) => make("table", {},
  make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head)))),
  make("tbody", {}, rows.map((row) => make("tr", {}, row.map((cell) => make("td", {}, cell))))));

const formatCount = (count) => count.toLocaleString("en");
const plural = (count, word) => `${formatCount(count)} ${word}${count === 1 ? "" : "s"}`;

/** A share from 0 to 1; never 0 % or 100 % for what is only close to it. */
function formatLoss(share) {
  if (share === null) return NONE;
  const percent = share * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.1) return "<0.1 %";
  if (percent < 9.95) return `${percent.toFixed(1)} %`;
  return percent > 99 && percent < 100 ? ">99 %" : `${Math.round(percent)} %`;
}

/** Three digits: "0.213 ms", "8.94 ms", "412 ms", "1.24 s". */
function formatRtt(seconds) {
  if (seconds === null) return NONE;
  const digits = (value) => String(Number(value.toPrecision(3)));
  return seconds < 0.9995 ? `${digits(seconds * 1000)} ms` : `${digits(seconds)} s`;
}

/** The two largest units: "45 s", "6 min 16 s", "3 h 12 min", "14 d 3 h"; with `short` only the largest. */
function formatSpan(seconds, short = false) {
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    if (rest >= size || (unit === "s" && parts.length === 0)) {
      parts.push(`${Math.floor(rest / size)} ${unit}`);
      rest %= size;
    } else if (parts.length > 0) {
      break;
    }
    if (parts.length === (short ? 1 : 2)) break;
  }
  return parts.join(" ");
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const MINUTES = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const ZONE = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" })
  .formatToParts(0).find((part) => part.type === "timeZoneName").value;

/** A <time> element for an RFC 3339 text: "20:24:51" of the last day, else "12 Nov". */
const momentOf = (text, now) => {
  const time = Date.parse(text);
  return make("time", { datetime: text, title: FULL.format(time) }, (now - time < 86400e3 ? CLOCK : DAY).format(time));
};
