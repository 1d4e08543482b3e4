// What the page shows is in its address, so that it can be linked to and the back button works.

const DEFAULTS = {
  view: "pairs", q: "", group: "", state: "", sort: "state", order: "",
  by: "destination", show: "usual", source: "", destination: "", address: "",
};
// Which of them a view has; each keeps what it has in common with the one before.
const PARTS = {
  pairs: ["q", "group", "state", "sort", "order"],
  matrix: ["q", "group", "state", "by", "show"],
  pair: ["group", "source", "destination", "address"],
};

function readPlace(query) {
  const given = new URLSearchParams(query);
  const place = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    if (given.has(name)) place[name] = given.get(name);
  }
  if (!PARTS[place.view]) place.view = DEFAULTS.view;
  return place;
}

const isFiltered = ({ q, group, state }) => q || group || state;
const whyNone = (place) =>
  (isFiltered(place) ? "No pair matches the filter." : "No pairs are configured: /probe only.");

/** The address of a place, relative to the page's. */
function addressOf(place) {
  const query = new URLSearchParams();
  for (const name of ["view", ...PARTS[place.view]]) {
    if (place[name] !== DEFAULTS[name]) query.set(name, place[name]);
  }
  return `?${query}`;
}

/** What names a pair, in links and in requests. */
const pairKey = (pair) => ({
  group: pair.group,
  source: pair.source,
  destination: pair.destination,
  ...(pair.labels && pair.labels.address ? { address: pair.labels.address } : {}),
});

const pairPlace = (pair) => ({ ...DEFAULTS, view: "pair", ...pairKey(pair) });

const query = (parameters) =>
  new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== "")).toString();

class ServerError extends Error {
  constructor(status, text) {
    super(text || `The exporter responds with HTTP status ${status}.`);
    this.isFinal = status === 400 || status === 404;  // about this place, and not only now
  }
}

/** A page's JSON, by a path relative to this page; browsers revalidate it by its ETag. */
async function request(path, options = {}) {
  // Of a page whose address has a password, fetch() takes no relative one.
  const url = new URL(path, location.origin + location.pathname);
  const response = await fetch(url, { cache: "no-cache", signal: AbortSignal.timeout(10000), ...options });
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new ServerError(response.status, content.error);
  return content;
}
