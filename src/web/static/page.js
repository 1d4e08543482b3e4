// The page as a whole: what it shows, and every 5 s the same again.

const EVERY = 5000;
const VIEWS = { pairs: PairTable, matrix: MatrixView, pair: PairView };

const page = {
  place: readPlace(location.search),
  view: null,
  kind: null,
  paused: false,
  round: 0,  // of requests: a later one makes earlier answers void
  timer: 0,
  answered: null,  // when
};

const find = (id) => document.getElementById(id);

/** Goes to what differs from the place now; `replace` leaves no step for the back button. */
function go(change, replace = false) {
  page.place = { ...page.place, ...change };
  history[replace ? "replaceState" : "pushState"](null, "", addressOf(page.place));
  enter();
}

/** Shows page.place; what was there, at first the server's table, stays until the answer comes. */
function enter() {
  const { place } = page;
  if (page.kind !== place.view) {
    page.kind = place.view;
    page.view = new VIEWS[place.view]();
  }
  bar.update(place);
  find("view").setAttribute("aria-busy", "true");
  refresh();
}

/** Makes `nodes` the view; the focus goes there from what is gone. */
function put(...nodes) {
  const box = find("view");
  if (nodes.length > 0 && nodes[0] === box.firstChild) return;
  const focused = box.contains(document.activeElement);
  box.replaceChildren(...nodes);
  box.dataset.view = page.kind;
  scrollTo(0, 0);
  if (focused) box.focus();
}

async function refresh() {
  const round = ++page.round;
  clearTimeout(page.timer);
  const { view, place } = page;
  try {
    const [status, content] = await Promise.all([request("api/v1/status"), view.load(place)]);
    if (round !== page.round) return;
    page.answered = Date.parse(status.time);
    showStatus(status);
    put(view.node);
    view.update(content, status, place);
    complain("");
  } catch (error) {
    if (round !== page.round) return;
    if (error instanceof ServerError) {
      if (error.isFinal) put();
      complain(error.message);
    } else {
      complain(page.answered === null ? "The exporter does not respond; retrying."
        : `The exporter has not responded since ${CLOCK.format(page.answered)}; retrying. What is below is from then.`);
    }
  }
  find("view").removeAttribute("aria-busy");
  if (!page.paused && !document.hidden) page.timer = setTimeout(refresh, EVERY);
}

const trouble = make("p", { class: "trouble", role: "alert", hidden: true });

function complain(text) {
  setText(trouble, text);
  trouble.hidden = text === "";
}

function showStatus(status) {
  const { counts } = status;
  const time = Date.parse(status.time);
  const rate = page.paused ? "paused" : `every ${EVERY / 1000} s`;
  setText(find("about"), `${location.host} \u00b7 ${status.version} \u00b7 ${CLOCK.format(time)} ${ZONE}, ${rate}`);
  const bad = ["down", "unresolved", "lossy"].find((state) => counts[state] > 0);
  const calm = bad ? "" : counts.up > 0 ? "all up" : "no pairs";
  document.title = `${calm || `${formatCount(counts[bad])} ${bad}`} \u00b7 ${page.view.title(page.place)} \u00b7 echo_exporter`;
  const lossy = `, ${Number((status.lossy_threshold * 100).toPrecision(3))} % or more in 10 min`;
  const cards = STATES.map((state) => {
    const here = page.place.state === state && page.place.view !== "pair";
    const place = { ...page.place, view: page.place.view === "matrix" ? "matrix" : "pairs", state: here ? "" : state };
    return [state, state === "lossy" ? lossy : "", counts[state], addressOf(place), here];
  });
  updateCards(cards);
  bar.updateGroups(status.groups);
  updateVerdicts(status.verdicts, time, bad ? 0 : counts.up);
  const { note } = status.history;
  const notice = find("notice");
  if (notice.textContent !== (note || "")) notice.replaceChildren(note ? make("p", { class: "notice" }, note) : "");
}

/** Links, which keep the focus: made once, then changed. */
function updateCards(cards) {
  const box = find("counts");
  if (!box.classList.contains("live")) {
    box.classList.add("live");
    box.replaceChildren(...cards.map(([state]) =>
      make("a", { class: `count ${state}`, href: "?" }, make("b"), make("span", { class: "dim" }, state), make("span", { class: "dim wide" }))));
  }
  cards.forEach(([, note, count, address, here], i) => {
    const card = box.children[i];
    setText(card.firstChild, formatCount(count));
    setText(card.lastChild, note);
    setAttribute(card, "href", address);
    card.classList.toggle("zero", count === 0);
    if (here) setAttribute(card, "aria-current", "true");
    else card.removeAttribute("aria-current");
  });
}

let verdictsShown = "";

/** `up`: how many pairs, if all are. */
function updateVerdicts(verdicts, now, up) {
  const calm = up > 0 ? `Every pair is up (${formatCount(up)}).` : "";
  const key = JSON.stringify([verdicts, calm]);
  if (key === verdictsShown) return;  // a screen reader reads what changes
  verdictsShown = key;
  const lines = verdicts.map((verdict) => make("p", { class: "verdict" }, make("b", {}, shown(verdict.text)),
    " since ", momentOf(verdict.since, now), `: ${plural(verdict.pairs, "pair")}.`));
  const rest = lines.splice(3);
  if (rest.length > 0) lines.push(make("details", {}, make("summary", {}, `${rest.length} more like these`), rest));
  if (calm) lines.push(make("p", { class: "verdict calm" }, calm));
  find("verdicts").replaceChildren(...lines);
}

/** Views and filters. */
class Bar {
  constructor() {
    const choice = (name, label, options) =>
      make("select", { "aria-label": label, onchange: ({ target }) => go({ [name]: target.value }) },
        options.map(([value, text]) => make("option", { value }, text)));
    this.pairs = make("a", {}, "Worst first");
    this.matrix = make("a", {}, "Matrix");
    this.search = make("input", { type: "search", placeholder: "Filter: name, address, group, label", "aria-label": "Filter", oninput: () => this.typed() });
    this.group = choice("group", "Group", [["", "all groups"]]);
    this.state = choice("state", "State", [["", "all states"], ...STATES.map((state) => [state, state])]);
    this.by = choice("by", "Rows", [["destination", "by destination"], ["group", "by group"]]);
    this.show = choice("show", "Round-trip times", [["usual", "RTT against the usual"], ["rtt", "RTT in ms"]]);
    this.node = make("div", { class: "bar" }, make("nav", { class: "tabs", "aria-label": "Views" }, this.pairs, this.matrix),
      this.search, this.group, this.state, this.by, this.show);
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => go({ q: this.search.value.trim() }, true), 250);
  }

  update(place) {
    const inPair = place.view === "pair";
    // From a pair, back to all of them.
    const rest = inPair ? { ...place, group: "" } : place;
    for (const name of ["pairs", "matrix"]) {
      this[name].href = addressOf({ ...rest, view: name });
      if (place.view === name) this[name].setAttribute("aria-current", "page");
      else this[name].removeAttribute("aria-current");
    }
    for (const name of ["group", "state", "by", "show"]) this[name].value = place[name];
    if (document.activeElement !== this.search) this.search.value = place.q;
    for (const filter of [this.search, this.group, this.state]) filter.hidden = inPair;
    this.by.hidden = this.show.hidden = place.view !== "matrix";
  }

  updateGroups(groups) {
    const names = groups.map((group) => group.name);
    const key = JSON.stringify(names);
    if (key === this.groupsShown) return;
    this.groupsShown = key;
    this.group.replaceChildren(make("option", { value: "" }, "all groups"),
      ...names.map((name) => make("option", { value: name }, shown(name))));
    this.group.value = page.place.group;
  }
}

const bar = new Bar();

function start() {
  const pause = make("button", { type: "button", id: "pause", "aria-pressed": "false", onclick: () => {
    page.paused = !page.paused;
    pause.setAttribute("aria-pressed", String(page.paused));
    setText(pause, page.paused ? "Resume" : "Pause");
    refresh();
  } }, "Pause");
  find("top").append(pause);
  find("view").before(bar.node, trouble);
  find("view").tabIndex = -1;
  addEventListener("popstate", () => {
    page.place = readPlace(location.search);
    enter();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !page.paused) refresh();
  });
  // Links to other views of this page; with a key held or another button, browsers open them as usual.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='?']");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const place = readPlace(link.getAttribute("href"));
    go({ ...DEFAULTS, ...place });
  });
  enter();
}

start();
