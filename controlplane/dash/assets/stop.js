// The red button: press and hold. It is grey whenever a press would not work, and a press that is let go does nothing.
"use strict";

(() => {
  const HOLD = 1500;
  const byId = (id) => document.getElementById(id);
  const button = byId("hold");
  const scope = byId("stop-scope");
  const outcome = byId("outcome");
  let works = false;
  let sending = false;
  let timer = 0;

  // A browser lets a page shake the phone only once somebody has touched it.
  const shake = (pattern) => {
    if (navigator.vibrate && navigator.userActivation && navigator.userActivation.hasBeenActive) navigator.vibrate(pattern);
  };

  const label = () => {
    byId("hold-scope").textContent = scope.value;
    byId("hold-word").textContent = sending ? "Cutting" : works ? "Hold to cut" : "Cannot cut";
    button.disabled = !works || sending || "never" in button.dataset;
  };
  scope.addEventListener("change", label);

  const release = () => {
    clearTimeout(timer);
    timer = 0;
    button.classList.remove("held");
  };
  const press = () => {
    if (timer || sending || button.disabled) return;
    button.classList.add("held");
    shake(20);
    timer = setTimeout(() => {
      release();
      cut(scope.value);
    }, HOLD);
  };

  document.addEventListener("portcullis:live", (event) => {
    if (works === event.detail.works) return;
    works = event.detail.works;
    if (!works) release();
    label();
  });

  button.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    press();
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(name, release);
  // A finger that slides off has changed its mind.
  button.addEventListener("pointermove", (event) => {
    const box = button.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) release();
  });
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") {
      release();
      return;
    }
    event.preventDefault();
    if (!event.repeat) press();
  });
  button.addEventListener("keyup", (event) => {
    event.preventDefault();
    release();
  });
  document.addEventListener("visibilitychange", release);

  // What the server drew is its own, escaped text; what went wrong on the way is said here.
  const show = (html) => {
    outcome.innerHTML = html;
    outcome.focus();
    outcome.scrollIntoView({ block: "nearest" });
  };
  const say = (text) => {
    const box = document.createElement("div");
    box.className = "notice bad";
    const line = document.createElement("p");
    line.textContent = text;
    box.append(line);
    outcome.replaceChildren(box);
    outcome.focus();
  };
  const send = async (path, fields) => {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "hx-request": "true" },
      body: new URLSearchParams(fields),
    });
    show(await answer.text());
    return answer.ok;
  };

  const cut = async (name) => {
    sending = true;
    label();
    shake([40, 40, 40]);
    try {
      await send("/cut", { scope: name, confirm: name, why: "held the red button" });
    } catch {
      say("No answer, so it is not known whether it was cut. Look above; a text with a KILL code works without this page.");
    } finally {
      sending = false;
      label();
    }
  };

  byId("restore").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const code = byId("restore-code");
    const fields = { scope: byId("restore-scope").value, code: code.value };
    // A code counts once.
    code.value = "";
    byId("restore-button").disabled = true;
    try {
      if (await send("/restore", fields)) form.reset();
    } catch {
      say("No answer: nothing is known of the restore. What is cut is shown above.");
    } finally {
      byId("restore-button").disabled = false;
    }
  });

  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("/stop/worker.js", { scope: "/stop" }).catch(() => {
      // Without one the page works as long as the house can be reached, and the browser says when it cannot.
    });
  }
  label();
})();
