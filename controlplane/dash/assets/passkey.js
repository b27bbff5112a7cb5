// Passkeys: shown on the page to sign in, made on the page of one's account. The browser asks the person; what it has to say
// goes to the dashboard as text.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const box = byId("passkey");
  if (!box) return;

  const say = (text) => {
    const line = document.createElement("p");
    line.textContent = text;
    byId("passkey-said").replaceChildren(line);
    byId("passkey-said").hidden = !text;
  };

  // A browser shows a passkey to the one address it was made for.
  if (location.origin !== box.dataset.origin) {
    byId("passkey-elsewhere").hidden = false;
    return;
  }
  if (!window.PublicKeyCredential || !navigator.credentials) {
    if (byId("passkey-add")) say("This browser knows no passkeys.");
    return;
  }

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const post = async (path, body) => {
    const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.detail || `The dashboard refused it (${answer.status}). Reload the page.`);
    return told;
  };

  // What a browser says of a failure is for programmers.
  const why = (error) => {
    if (error.name === "NotAllowedError") return "No passkey was used: it was cancelled, there is none for this address, or it took too long.";
    if (error.name === "InvalidStateError") return "This device holds a passkey of yours already.";
    if (error.name === "SecurityError") return "The browser uses no passkeys at this address.";
    return error.message;
  };

  const busy = async (button, what) => {
    button.disabled = true;
    say("");
    try {
      await what();
    } catch (error) {
      say(why(error));
      button.disabled = false;
    }
  };

  const enter = async () => {
    const wanted = await post("/sign-in/passkey/begin", {});
    const shown = await navigator.credentials.get({
      publicKey: { ...wanted, challenge: bytes(wanted.challenge), allowCredentials: [] },
    });
    await post("/sign-in/passkey", {
      id: shown.id,
      rawId: text(shown.rawId),
      type: shown.type,
      response: {
        clientDataJSON: text(shown.response.clientDataJSON),
        authenticatorData: text(shown.response.authenticatorData),
        signature: text(shown.response.signature),
        userHandle: text(shown.response.userHandle || new ArrayBuffer(0)),
      },
    });
    location.assign(box.dataset.to);
  };

  const add = async () => {
    const wanted = await post("/account/passkeys/begin", {});
    const made = await navigator.credentials.create({
      publicKey: {
        ...wanted,
        challenge: bytes(wanted.challenge),
        user: { ...wanted.user, id: bytes(wanted.user.id) },
        excludeCredentials: wanted.excludeCredentials.map((one) => ({ ...one, id: bytes(one.id) })),
      },
    });
    await post("/account/passkeys", {
      name: byId("passkey-name").value,
      credential: {
        id: made.id,
        rawId: text(made.rawId),
        type: made.type,
        response: { clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject) },
      },
    });
    location.assign("/account");
  };

  if (byId("passkey-enter")) {
    byId("passkey-enter").hidden = false;
    byId("passkey-enter").addEventListener("click", (event) => busy(event.target, enter));
  }
  if (byId("passkey-add")) {
    byId("passkey-add").hidden = false;
    byId("passkey-add").addEventListener("submit", (event) => {
      event.preventDefault();
      busy(event.target.querySelector("button"), add);
    });
  }
})();
