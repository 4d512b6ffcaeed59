/* What buttons and forms are answered: a refusal is said where its sender looks, and what was
 * typed stays.
 *
 * - a form says it itself, above its buttons: a notice would lie behind the dialog it stands in;
 * - a dialog that was to show something says why it cannot;
 * - a button alone gets a notice;
 * - polls say nothing: the next one will tell, and the banner says that the server is away.
 * Buttons with `data-confirm` ask before their form is sent as a page, as `hx-confirm` does else.
 */
(() => {
  "use strict";
  const GESTURES = ["click", "submit", "change", "input", "keydown", "keyup", "search"];
  const AGAIN = [502, 503, 504];
  const BY_STATUS = {
    403: "You may not do this. If you should, reload the page and try again.",
    404: "It is no longer here. Reload the page to see what is.",
    413: "That is more than the server takes at once.",
    429: "That was too often. Try again in a moment.",
  };
  const byPerson = ({ verb, triggeringEvent }) => (
    verb !== "get" || Boolean(triggeringEvent && GESTURES.includes(triggeringEvent.type))
  );
  const problemOf = (xhr) => {
    if (!(xhr.getResponseHeader("Content-Type") || "").startsWith("application/problem+json")) return null;
    try {
      return JSON.parse(xhr.responseText);
    } catch {
      return null; // cut off on its way
    }
  };
  const wordsOf = (xhr, problem) => {
    if (problem && problem.detail) return problem.detail;
    if (AGAIN.includes(xhr.status)) return `The server could not answer just now (${xhr.status}). Try again in a moment.`;
    return BY_STATUS[xhr.status] || `That did not work: the server answered ${xhr.status}.`;
  };

  // --- where it is said --------------------------------------------------------------------
  const placeIn = (form) => {
    const place = form.querySelector("[data-form-error]");
    if (place) return place;
    const made = document.createElement("p");
    made.className = "error form-error";
    made.setAttribute("role", "alert");
    made.dataset.formError = "";
    const buttons = [...form.querySelectorAll(".actions")].pop();
    if (buttons) buttons.before(made);
    else form.append(made);
    return made;
  };
  window.studioRefused = (form, words) => {
    const place = placeIn(form);
    place.hidden = false;
    place.textContent = words;
    place.scrollIntoView({ block: "nearest" });
  };
  const goOnFrom = (form, { version }) => {
    const field = form.querySelector("input[name=version]");
    if (field && version !== undefined) field.value = version;
  };
  const inDialog = (title, words) => {
    const head = document.createElement("div");
    head.className = "panel-head";
    const heading = document.createElement("h2");
    heading.id = "event-heading";
    heading.textContent = title;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button button-quiet button-small";
    close.dataset.closes = "";
    close.textContent = "Close";
    head.append(heading, close);
    const body = document.createElement("div");
    body.className = "panel-body";
    const text = document.createElement("p");
    text.className = words ? "error" : "muted";
    if (words) text.setAttribute("role", "alert");
    text.textContent = words || "It is fetched from the server.";
    body.append(text);
    return [head, body];
  };
  const refuse = ({ target, requestConfig }, words, problem) => {
    const { elt } = requestConfig;
    const reading = requestConfig.verb === "get";
    if (reading && target && target.closest("dialog[open]")) {
      target.replaceChildren(...inDialog("It cannot be shown", words));
      return;
    }
    const form = elt.closest("form");
    if (reading || !form || !form.isConnected) {
      window.studioNotice(words);
      return;
    }
    window.studioRefused(form, words);
    if (problem) goOnFrom(form, problem);
  };

  // --- sending: once, with the token of the session that is signed in now -----------------------
  const sending = new WeakSet();
  document.addEventListener("htmx:confirm", (event) => {
    const { elt, verb } = event.detail;
    if (verb !== "get" && sending.has(elt)) event.preventDefault(); // pressed twice
  });
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = window.studioToken();
  });
  document.addEventListener("submit", (event) => {
    const words = event.submitter?.dataset.confirm;
    if (words && !confirm(words)) {
      event.preventDefault();
      return;
    }
    const token = event.target.querySelector("input[name=csrfmiddlewaretoken]");
    if (token) token.value = window.studioToken();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { target, requestConfig } = event.detail;
    const { elt } = requestConfig;
    if (requestConfig.verb === "get") {
      if (target && target.id === "event-detail") target.replaceChildren(...inDialog("One moment", ""));
      return;
    }
    sending.add(elt);
    const form = elt.closest("form");
    const place = form && form.querySelector("[data-form-error]");
    if (place) place.hidden = true;
  });

  // --- answers ---------------------------------------------------------------------------------
  const isSignIn = (xhr) => Boolean(xhr.responseURL) && new URL(xhr.responseURL).pathname === "/login";
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, xhr } = event.detail;
    if (!requestConfig.elt.isConnected) {
      event.detail.shouldSwap = false; // the socket was faster: what was pressed is already replaced
    }
    if (!isSignIn(xhr)) return;
    event.detail.shouldSwap = false;
    window.studioSignedOut();
    if (byPerson(requestConfig)) {
      refuse(event.detail, "Your session has ended. Sign in again, then repeat this.");
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { requestConfig, successful, xhr } = event.detail;
    const { elt } = requestConfig;
    sending.delete(elt);
    if (!successful || isSignIn(xhr)) return;
    window.studioSignedIn();
    if (requestConfig.verb !== "post") return;
    const form = elt.closest("form");
    if (!form || "keep" in form.dataset) return; // its buttons only try what is typed
    form.reset();
    const dialog = form.closest("dialog");
    if (dialog) dialog.close();
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (!byPerson(requestConfig)) return;
    const problem = problemOf(xhr);
    refuse(event.detail, wordsOf(xhr, problem), problem);
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (!byPerson(event.detail.requestConfig)) return;
    refuse(event.detail, "The server could not be reached. Try again when the connection is back.");
  });
  document.addEventListener("htmx:sendAbort", (event) => {
    if (event.detail.requestConfig.verb !== "get") refuse(event.detail, "It was not sent.");
  });
})();
