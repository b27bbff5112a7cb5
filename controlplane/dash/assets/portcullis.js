// What the page does beyond swapping parts: ages count, forms fill in, a lost connection shows.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);

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

  const live = (state, text) => {
    byId("live").textContent = text;
    document.body.dataset.live = state;
  };

  const word = () => {
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
    if (!link) return;
    event.preventDefault();
    fill(link.dataset.fill, link.dataset.scope);
  });
  byId("cut-scope").addEventListener("change", word);

  const body = document.body;
  body.addEventListener("htmx:sseOpen", () => live("on", "Live"));
  body.addEventListener("htmx:sseError", () => live("lost", "Not connected: what you see may be old. Trying again…"));
  body.addEventListener("htmx:sseClose", () => live("lost", "Signed out"));
  body.addEventListener("htmx:sseMessage", () => {
    age();
    const verdict = document.querySelector("[data-title]");
    if (verdict) document.title = `${verdict.dataset.title} · Portcullis`;
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    if (form.id === "drill" || form.id === "check-in") byId("outcome").scrollIntoView({ block: "nearest" });
    if (form.id !== "cut" && form.id !== "restore") return;
    // A code or a confirmation counts once; the rest stays while nothing came of it, and so does the other form.
    // (`successful` would be true for refusals too: they are swapped in like the rest.)
    const done = event.detail.xhr.status > 0 && event.detail.xhr.status < 400;
    const [once, whole] = form.id === "cut" ? ["cut-confirm", "cut-why"] : ["restore-code", "restore-scope"];
    byId(once).value = "";
    if (done) byId(whole).value = "";
    if (document.activeElement === document.body || form.contains(document.activeElement)) byId("outcome").focus();
    byId("outcome").scrollIntoView({ block: "nearest" });
  });
  body.addEventListener("htmx:sendError", () => {
    byId("outcome").textContent = "The dashboard does not answer, so nothing is known of what you asked. `portcullis cut SCOPE` at the machine, or a text message, work without it.";
  });

  word();
  age();
})();
