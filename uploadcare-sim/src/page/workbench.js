// Live updates, times in the browser's time zone, buttons that copy, and the choice of the theme. All
// pages work without this script.
"use strict";

const THEME = "uploadcare-workbench-theme";
const ROOT = document.documentElement;

function applyTheme(theme) {
  if (theme === "light" || theme === "dark") ROOT.dataset.theme = theme;
  else delete ROOT.dataset.theme;
}

function storedTheme() {
  // Storage may be switched off in the browser.
  try {
    return localStorage.getItem(THEME) || "auto";
  } catch {
    return "auto";
  }
}

applyTheme(storedTheme());

function offerThemes() {
  const choice = document.getElementById("theme-choice");
  choice.value = storedTheme();
  choice.addEventListener("change", () => {
    applyTheme(choice.value);
    try {
      localStorage.setItem(THEME, choice.value);
    } catch {
      // Then the choice holds for this page only.
    }
  });
  document.getElementById("theme").hidden = false;
}

// The same words as `from_now` of the server.
function fromNow(seconds) {
  if (seconds <= 0) return "now";
  if (seconds < 60) return `in ${seconds} s`;
  if (seconds < 3600) return `in ${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `in ${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
}

function showTimes(part) {
  for (const time of part.querySelectorAll("time[data-clock]")) {
    const date = new Date(time.dateTime);
    time.textContent = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    time.title = date.toLocaleString();
    delete time.dataset.clock;
  }
  for (const time of part.querySelectorAll("time[data-due]")) {
    const words = fromNow(Math.ceil((new Date(time.dateTime) - Date.now()) / 1000));
    if (time.textContent !== words) time.textContent = words;
  }
}

// Browsers have a clipboard on this machine and over HTTPS only.
function offerCopies(part) {
  for (const button of part.querySelectorAll("button[data-copy]")) button.hidden = !navigator.clipboard;
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not copied";
  }
  tell(button.textContent);
}

// Turns HTML that the server rendered into elements. A row needs a table around it.
function elements(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  showTimes(template.content);
  offerCopies(template.content);
  return template.content;
}

// Says at most once in five seconds what happened, so that a burst does not flood a screen reader.
const announcements = {
  added: new Set(),
  changed: new Set(),
  timer: null,
  count(kind, id) {
    this[kind].add(id);
    this.timer ??= setTimeout(() => this.say(), 5000);
  },
  say() {
    const words = [];
    const [added, changed] = [this.added.size, [...this.changed].filter((id) => !this.added.has(id)).length];
    if (added) words.push(`${added} new ${added === 1 ? "delivery" : "deliveries"}`);
    if (changed) words.push(`${changed} changed ${changed === 1 ? "delivery" : "deliveries"}`);
    tell(words.join(", "));
    this.added.clear();
    this.changed.clear();
    this.timer = null;
  },
};

function tell(text) {
  document.getElementById("announcements").textContent = text;
}

function livePart() {
  return document.getElementById("live-part");
}

// Replaces the content of an element. What was open, ticked or focused stays so.
function replaceContent(element, content) {
  const open = new Map([...element.querySelectorAll("details[id]")].map((item) => [item.id, item.open]));
  const ticked = new Set([...element.querySelectorAll("input:checked")].map((input) => input.value));
  const focus = focusIn(element);
  element.replaceChildren(content);
  for (const [id, wasOpen] of open) {
    const item = document.getElementById(id);
    if (item) item.open = wasOpen;
  }
  for (const input of element.querySelectorAll("input[type=checkbox]")) input.checked = ticked.has(input.value);
  focus();
}

// Remembers which link, button or box of an element has the focus. Returns what gives it back.
function focusIn(element) {
  const focused = document.activeElement;
  if (!element.contains(focused) || focused === document.body) return () => {};
  const same = (item) =>
    focused.id ? item.id === focused.id : item.tagName === focused.tagName && (item.href || item.value) === (focused.href || focused.value);
  return () => [...element.querySelectorAll("a, button, input, summary, pre")].find(same)?.focus();
}

// The stylesheet shows the filter in wide windows even while it is closed. Opened, it is there for
// programs that steer a browser as well.
function openFilter() {
  const filter = document.querySelector(".filter");
  if (filter && matchMedia("(min-width: 46.01rem)").matches) filter.open = true;
}

let reloading = null;
// The changes that came while the page is loaded again: what is loaded may be older than they are.
let meanwhile = [];
// The live part as the server sent it last; nothing once a row of it changed.
let served = null;

// Loads the page again, and takes over its live part if it differs. At most once a second.
function reload() {
  reloading ??= setTimeout(async () => {
    meanwhile = [];
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live-part");
      const banner = page.getElementById("banner");
      if (!fresh && answer.status === 404) gone();
      if (fresh && fresh.innerHTML !== served) {
        served = fresh.innerHTML;
        replaceContent(livePart(), elements(served));
      }
      if (banner) document.getElementById("banner").innerHTML = banner.innerHTML;
    } catch {
      // The connection is lost. It is loaded when the connection is back.
    }
    reloading = null;
    for (const change of meanwhile) change();
  }, reload.last && Date.now() - reload.last < 1000 ? 1000 : 0);
  reload.last = Date.now();
}

let ended = false;

function gone() {
  ended = true;
  stopWatching();
  setLive("gone", "This delivery is no longer kept");
  tell("This delivery is no longer kept");
}

function showRow({ id, number, html }) {
  served = null;
  const rows = document.getElementById("rows");
  if (!rows) {
    announcements.count("added", id);
    return reload();
  }
  const known = document.getElementById(`delivery-${id}`);
  const row = elements(html).querySelector("tr");
  if (known) {
    const ticked = known.querySelector("input:checked") !== null;
    const focus = focusIn(known);
    known.replaceChildren(...row.childNodes);
    if (ticked) known.querySelector("input[type=checkbox]").checked = true;
    focus();
    announcements.count("changed", id);
    return;
  }
  const next = [...rows.rows].find((other) => Number(other.dataset.number) < number);
  row.classList.add("fresh");
  rows.insertBefore(row, next ?? null);
  announcements.count("added", id);
  trim(rows);
}

function trim(rows) {
  const most = Number(livePart().dataset.most);
  if (rows.rows.length <= most) return;
  while (rows.rows.length > most) rows.rows[rows.rows.length - 1].remove();
  const older = document.getElementById("older");
  older.href = older.dataset.base + rows.rows[rows.rows.length - 1].dataset.number;
  older.hidden = false;
}

function setLive(state, text) {
  const live = document.getElementById("live");
  if (!live) return;
  live.dataset.state = state;
  document.getElementById("live-text").textContent = text;
}

let source = null;

function watch(path) {
  if (source || ended) return;
  source = new EventSource(path);
  const on = (name, act) => source.addEventListener(name, (event) => act(JSON.parse(event.data)));
  const onChange = (name, show) =>
    on(name, (change) => {
      show(change);
      if (reloading) meanwhile.push(() => show(change));
    });
  // The server sends this when it watches for changes. What changed before is loaded now.
  on("ready", () => {
    setLive("live", "Live");
    reload();
  });
  onChange("reload", reload);
  onChange("row", showRow);
  onChange("gone", ({ id }) => {
    served = null;
    document.getElementById(`delivery-${id}`)?.remove();
  });
  onChange("part", ({ html }) => {
    served = null;
    replaceContent(livePart(), elements(html));
    announcements.count("changed", path);
  });
  onChange("faults", ({ html }) => {
    document.getElementById("banner").innerHTML = html;
  });
  source.onerror = () => {
    setLive("reconnecting", "Reconnecting …");
    // The browser gives up after an answer that is no stream, such as 404 after a reset.
    if (source?.readyState === EventSource.CLOSED) {
      stopWatching();
      reload();
      setTimeout(() => watch(path), 3000);
    }
  };
}

function stopWatching() {
  source?.close();
  source = null;
}

// A browser opens only six connections to one address. Tabs that are hidden for long give theirs
// back, and load what they missed when they are shown again.
function watchWhileVisible(path) {
  let timer = null;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(stopWatching, 60000);
    else watch(path);
  });
  window.addEventListener("pagehide", stopWatching);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) watch(path);
  });
  watch(path);
}

document.addEventListener("DOMContentLoaded", () => {
  offerThemes();
  served = livePart()?.innerHTML;
  showTimes(document);
  offerCopies(document);
  openFilter();
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button[data-copy]");
    if (button) copy(button);
  });
  setInterval(() => showTimes(document), 1000);
  const path = document.body.dataset.live;
  if (path) watchWhileVisible(path);
});
