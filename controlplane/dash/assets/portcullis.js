// What a page does beyond its forms: parts change by themselves, ages count, keys lead about, a lost connection shows and
// makes the red button grey.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const body = document.body;

  // Every <time> says how far away it is. The server draws instants only, so it need not send a part each second.
  const span = (ms) => {
    const s = Math.floor(ms / 1000);
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
  };
  // A clock that is a little off makes nothing lie in the future.
  const away = (ms) => (ms < -5000 ? `in ${span(-ms)}` : span(Math.max(0, ms)));
  const age = () => {
    for (const time of document.querySelectorAll("main time")) {
      time.dataset.age = `(${away(Date.now() - Date.parse(time.dateTime))})`;
    }
  };
  setInterval(age, 1000);

  // The connection. It counts as live only while beats keep coming: a half-dead one sends nothing and closes nothing.
  const FRESH = 6000;
  let source = null;
  let beat = -Infinity;
  let over = false;

  const show = () => {
    const live = performance.now() - beat < FRESH;
    const state = live ? "on" : "lost";
    const dead = body.dataset.kill === "off";
    let text = "Live";
    if (over) text = "Signed out";
    else if (!live) text = beat < 0 ? "Connecting…" : "Not connected: what you see may be old. Trying again…";
    else if (dead) text = "The kill switch does not answer";
    if (body.dataset.live !== state && (live || beat >= 0 || over)) body.dataset.live = state;
    if (byId("live") && byId("live").textContent !== text) byId("live").textContent = text;
    const grey = !live || dead || over;
    for (const button of document.querySelectorAll("button.red")) {
      if (button.disabled !== grey && !button.closest(".htmx-request")) button.disabled = grey;
    }
    document.dispatchEvent(new CustomEvent("portcullis:live", { detail: { works: !grey } }));
  };

  const onBeat = (event) => {
    beat = performance.now();
    body.dataset.kill = JSON.parse(event.data).kill ? "on" : "off";
    show();
  };
  const onPart = (event) => {
    for (const part of document.querySelectorAll(`[data-part="${event.type}"]`)) {
      part.innerHTML = event.data;
    }
    if (event.type === "ended") {
      over = true;
      beat = -Infinity;
      stop();
      show();
    }
    age();
    const verdict = document.querySelector("[data-title]");
    if (verdict) document.title = `${verdict.dataset.title} · Portcullis`;
  };
  const start = () => {
    if (source || over || !body.dataset.events) return;
    source = new EventSource(body.dataset.events);
    source.addEventListener("beat", onBeat);
    const names = new Set(["ended"]);
    for (const part of document.querySelectorAll("[data-part]")) names.add(part.dataset.part);
    for (const name of names) source.addEventListener(name, onPart);
    source.onerror = () => {
      // Refused for good, such as when too many pages listen: the browser would not ask again.
      if (source && source.readyState === EventSource.CLOSED) {
        stop();
        setTimeout(start, 3000);
      }
      if (beat < 0) beat = 0;
      show();
    };
  };
  const stop = () => {
    if (source) source.close();
    source = null;
  };
  setInterval(show, 500);
  // A browser gives one house six connections. Pages that nobody sees let go of theirs, so that the page with the red button
  // always finds one.
  let hiding = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(stop, 5000);
    else start();
  });
  // A page that was left is kept as it stood, connection and all, until somebody goes back to it: six of those and no page
  // opens any more. What it showed then is old when it comes back.
  addEventListener("pagehide", () => {
    clearTimeout(hiding);
    stop();
    beat = -Infinity;
  });
  addEventListener("pageshow", start);

  // Forms of the first page.
  const word = () => {
    if (!byId("cut-word")) return;
    byId("cut-word").textContent = byId("cut-scope").value;
    byId("cut-button").textContent = `Cut ${byId("cut-scope").value}`;
  };
  const fill = (form, scope) => {
    if (form === "cut") {
      const select = byId("cut-scope");
      if (![...select.options].some((option) => option.value === scope)) select.add(new Option(scope));
      select.value = scope;
      word();
      byId("cut-confirm").focus();
    } else {
      byId("restore-scope").value = scope;
      byId("restore-code").focus();
    }
    byId(form).scrollIntoView({ block: "center" });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-fill]");
    if (!link || !byId(link.dataset.fill)) return;
    event.preventDefault();
    fill(link.dataset.fill, link.dataset.scope);
  });
  if (byId("cut-scope")) byId("cut-scope").addEventListener("change", word);

  body.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    const outcome = byId("outcome");
    if (form.id === "drill" || form.id === "check-in") outcome.scrollIntoView({ block: "nearest" });
    if (form.id !== "cut" && form.id !== "restore") return;
    // A code or a confirmation counts once; the rest stays while nothing came of it, and so does the other form.
    // (`successful` would be true for refusals too: they are swapped in like the rest.)
    const done = event.detail.xhr.status > 0 && event.detail.xhr.status < 400;
    const [once, whole] = form.id === "cut" ? ["cut-confirm", "cut-why"] : ["restore-code", "restore-scope"];
    byId(once).value = "";
    if (done && byId(whole)) byId(whole).value = "";
    if (document.activeElement === body || form.contains(document.activeElement)) outcome.focus();
    outcome.scrollIntoView({ block: "nearest" });
  });
  body.addEventListener("htmx:sendError", () => {
    const text = "The dashboard does not answer, so nothing is known of what you asked. `portcullis cut SCOPE` at the machine, or a text message, work without it.";
    (byId("outcome") || byId("live")).textContent = text;
  });

  // Dragging over a picture of some time asks for that time alone, drawn as fine as it is kept. A finger scrolls; links do the
  // same for it and for the keyboard.
  for (const chart of document.querySelectorAll("svg[data-from]")) {
    const note = chart.parentElement.querySelector(".drag");
    if (note) note.hidden = false;
    const from = Number(chart.dataset.from);
    const to = Number(chart.dataset.to);
    const width = chart.viewBox.baseVal.width;
    const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    mark.setAttribute("height", chart.viewBox.baseVal.height);
    mark.setAttribute("class", "mark");
    let began = null;
    const place = (event) => {
      const box = chart.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    };
    chart.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch" || event.button !== 0) return;
      event.preventDefault();
      began = place(event);
      chart.setPointerCapture(event.pointerId);
    });
    chart.addEventListener("pointermove", (event) => {
      if (began === null) return;
      const at = place(event);
      mark.setAttribute("x", Math.min(began, at) * width);
      mark.setAttribute("width", Math.abs(began - at) * width);
      chart.append(mark);
    });
    const end = (event) => {
      if (began === null) return;
      const [first, last] = [began, place(event)].sort((a, b) => a - b);
      began = null;
      mark.remove();
      if (event.type !== "pointerup" || last - first < 0.01) return;
      const at = (part) => Math.round(from + (to - from) * part);
      location.search = `?from=${at(first)}&to=${at(last)}`;
    };
    chart.addEventListener("pointerup", end);
    chart.addEventListener("pointercancel", end);
  }

  // A file is read into the text of a form, so that it goes the same way as what is typed; the file itself is sent nowhere.
  for (const file of document.querySelectorAll("input[type=file][data-into]")) {
    file.closest("p").hidden = false;
    file.addEventListener("change", async () => {
      const trouble = byId(`${file.id}-trouble`);
      const into = byId(file.dataset.into);
      const [chosen] = file.files;
      trouble.textContent = "";
      if (!chosen) return;
      if (chosen.size > Number(file.dataset.most)) {
        trouble.textContent = `${chosen.name} is longer than ${file.dataset.most} bytes.`;
        return;
      }
      try {
        into.value = new TextDecoder("utf-8", { fatal: true }).decode(await chosen.arrayBuffer());
        into.focus();
        into.setSelectionRange(0, 0);
      } catch {
        trouble.textContent = `${chosen.name} is no text in UTF-8.`;
      }
    });
  }

  // What is kept in this browser; one that keeps nothing works all the same.
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const keep = (name, value) => {
    try {
      localStorage.setItem(name, value);
    } catch {
      // As before at the next page.
    }
  };

  const theme = byId("theme");
  if (theme) {
    const dark = () => {
      const chosen = document.documentElement.dataset.theme;
      return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    };
    const label = () => {
      theme.textContent = dark() ? "Light" : "Dark";
    };
    theme.hidden = false;
    theme.addEventListener("click", () => {
      const next = dark() ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      keep("theme", next);
      label();
    });
    label();
  }

  // Keys. One letter alone does nothing but wait for the next; who speaks to his browser can switch them off.
  const keys = byId("keys");
  if (keys) {
    byId("keys-open").hidden = false;
    byId("keys-open").addEventListener("click", () => keys.showModal());
    const on = byId("keys-on");
    on.checked = kept("keys") !== "off";
    on.addEventListener("change", () => keep("keys", on.checked ? "on" : "off"));
    let leads = 0;
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (event.target.closest("input, select, textarea, [contenteditable]") || keys.open) return;
      if (event.key === "?") {
        keys.showModal();
        return;
      }
      if (!on.checked) return;
      if (event.key === "!") {
        location.href = "/stop";
      } else if (event.key === "g" && performance.now() - leads > 1500) {
        leads = performance.now();
      } else if (performance.now() - leads < 1500) {
        leads = 0;
        const link = [...document.querySelectorAll("[data-key]")].find((link) => link.dataset.key === event.key);
        if (link) link.click();
      }
    });
  }

  // On a narrow screen the pages fold away.
  const menu = document.querySelector(".menu");
  if (menu) {
    const narrow = matchMedia("(max-width: 60rem)");
    const fold = () => {
      menu.open = !narrow.matches;
    };
    narrow.addEventListener("change", fold);
    fold();
  }

  word();
  age();
  start();
  show();
})();
