"use strict";
// Filters, sorts and pages the table. All text reaches the page as text, never as markup.
(() => {
  const PAGE = 100;
  const PLACES = 3;
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("begin").textContent);
  const named = ([fingerprint, kind, status, count, places, note]) => ({
    fingerprint, kind: data.kinds[kind], status: data.states[status], count, places, note,
    place: places.length ? places[0] : "", text: null,
  });
  // The first rows are drawn at once; all of them are read when they are asked for, or when the
  // browser has nothing else to do.
  const first = data.first.map(named);
  let all = null;
  const rows = () => (all ??= JSON.parse(byId("data").textContent).map(named));
  const everything = {
    length: data.total,
    slice: (from, to) => (Math.min(to, data.total) <= first.length ? first : rows()).slice(from, to),
  };
  const controls = { q: byId("q"), kind: byId("kind"), status: byId("status") };
  const heads = [...document.querySelectorAll("#table th[data-key]")];
  let view = { sort: "", down: false, page: 0 };
  let shown = everything;

  const text = (row) => (row.text ??=
    [row.fingerprint, row.kind, row.status, row.note, ...row.places].join("\n").toLowerCase());

  const choose = () => {
    const words = controls.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { value: kind } = controls.kind;
    const { value: status } = controls.status;
    if (!words.length && !kind && !status && !view.sort) {
      shown = everything;
      return;
    }
    shown = rows().filter((row) => (!kind || row.kind === kind) && (!status || row.status === status)
      && words.every((word) => text(row).includes(word)));
    if (view.sort) {
      const key = view.sort;
      const way = view.down ? -1 : 1;
      shown.sort((a, b) => (a[key] < b[key] ? -way : a[key] > b[key] ? way : 0));
    }
  };

  const element = (name, content, className) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  };

  const list = (places) => {
    const made = element("ul");
    made.append(...places.map((place) => element("li", place)));
    return made;
  };

  const cells = (row) => {
    const made = element("tr");
    const token = element("th", row.kind);
    token.scope = "row";
    const name = element("td");
    name.append(element("code", row.fingerprint));
    const where = element("td");
    where.append(list(row.places.slice(0, PLACES)));
    const rest = row.places.slice(PLACES);
    if (rest.length) {
      const more = element("details");
      more.append(element("summary", `${rest.length} more`), list(rest));
      where.append(more);
    }
    const unlisted = row.count - row.places.length;
    if (unlisted > 0 && row.places.length) {
      where.append(element("p", `and ${unlisted} that this page does not list`, "faint"));
    }
    const status = element("td", row.status);
    if (row.note) status.append(element("p", row.note, "faint"));
    made.append(token, status, element("td", row.count, "number"), where, name);
    return made;
  };

  const draw = () => {
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    view.page = Math.min(Math.max(view.page, 0), pages - 1);
    const from = view.page * PAGE;
    const part = shown.slice(from, from + PAGE);
    byId("rows").replaceChildren(...part.map(cells));
    byId("shown").textContent = shown.length
      ? `Showing ${from + 1} to ${from + part.length} of ${shown.length} tokens`
        + (shown.length < data.total ? `, chosen from ${data.total}` : "")
      : "No token fits these filters";
    byId("before").disabled = view.page === 0;
    byId("after").disabled = view.page === pages - 1;
    for (const head of heads) {
      const sorted = head.dataset.key === view.sort;
      head.setAttribute("aria-sort", !sorted ? "none" : view.down ? "descending" : "ascending");
    }
  };

  // What is chosen stands in the address, so that it can be kept and passed on.
  const remember = () => {
    const kept = new URLSearchParams();
    for (const [name, control] of Object.entries(controls)) {
      if (control.value) kept.set(name, control.value);
    }
    if (view.sort) kept.set("sort", (view.down ? "-" : "") + view.sort);
    history.replaceState(null, "", `#${kept}`);
  };

  const recall = () => {
    const kept = new URLSearchParams(location.hash.slice(1));
    for (const [name, control] of Object.entries(controls)) control.value = kept.get(name) ?? "";
    const sort = kept.get("sort") ?? "";
    const key = sort.replace(/^-/, "");
    const known = heads.some((head) => head.dataset.key === key);
    view = { sort: known ? key : "", down: sort.startsWith("-"), page: 0 };
    choose();
    draw();
  };

  const change = () => {
    view.page = 0;
    choose();
    draw();
    remember();
  };

  const fill = (control, values) => {
    control.append(...values.map((value) => new Option(value, value)));
  };
  fill(controls.kind, data.kinds);
  fill(controls.status, data.states);
  for (const control of Object.values(controls)) control.addEventListener("input", change);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", () => setTimeout(change));
  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      const { key } = head.dataset;
      view.down = view.sort === key ? !view.down : key === "count";
      view.sort = key;
      change();
    });
  }
  const turn = (pages) => () => {
    view.page += pages;
    draw();
    byId("findings").scrollIntoView();
  };
  byId("before").addEventListener("click", turn(-1));
  byId("after").addEventListener("click", turn(1));
  window.addEventListener("hashchange", recall);
  byId("browse").hidden = false;
  recall();
  (window.requestIdleCallback ?? setTimeout)(() => rows());
})();
