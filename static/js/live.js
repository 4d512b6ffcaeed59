/* Live pages: what htmx and its websocket extension leave to us.
 *
 * - a notice from the board's socket becomes the event `board-changed`, at most once a second;
 * - the extension reconnects after 1006 and 1011 to 1013 only: the rest is done here;
 * - 4401 means signed out, 4404 not found: both end the connection for good;
 * - the page of an incident that was merged leads on to its survivor;
 * - a panel that did not change is not swapped, and one that did keeps what was opened, typed
 *   and focused in it;
 * - a panel that the page does not hold is left out: a server that was updated meanwhile may send
 *   one that the page does not know.
 */
(() => {
  "use strict";
  const RETRIED_BY_EXTENSION = [1006, 1011, 1012, 1013];
  const banner = document.getElementById("connection");
  let leaving = false;
  let bannerTimer = 0;
  addEventListener("pagehide", () => { leaving = true; });
  addEventListener("pageshow", () => { leaving = false; });
  htmx.config.wsReconnectDelay = (attempt) => Math.min(400 * 2 ** attempt, 5000) * (0.6 + 0.4 * Math.random());

  const say = (text, link) => {
    banner.textContent = text;
    banner.classList.toggle("banner-ended", Boolean(link));
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = link.href;
      anchor.textContent = link.text;
      banner.append(" ", anchor);
    }
    banner.hidden = false;
  };
  const setDot = (state, words) => {
    for (const dot of document.querySelectorAll("[data-live]")) {
      dot.dataset.live = state;
      dot.textContent = words;
    }
  };
  const signIn = () => `/login?next=${encodeURIComponent(location.pathname + location.search)}`;

  document.addEventListener("htmx:wsOpen", () => {
    clearTimeout(bannerTimer);
    banner.hidden = true;
    setDot("on", "Live");
  });
  document.addEventListener("htmx:wsClose", (event) => {
    if (leaving) return;
    clearTimeout(bannerTimer);
    const code = event.detail.event.code;
    setDot("off", "Not live");
    if (code === 4401) {
      say("Your session has ended.", { href: signIn(), text: "Sign in again" });
      return;
    }
    if (code === 4404) {
      say("This incident is no longer here.", { href: "/", text: "To the board" });
      return;
    }
    bannerTimer = setTimeout(() => say("Connection lost. Reconnecting; the page updates when it is back."), 1200);
    if (!RETRIED_BY_EXTENSION.includes(code)) {
      const wrapper = event.detail.socketWrapper;
      setTimeout(() => { if (!leaving) wrapper.reconnect(); }, 500 + 1000 * Math.random());
    }
  });

  // --- board -----------------------------------------------------------------------------
  let lastTold = 0;
  let toldTimer = 0;
  const tell = () => {
    toldTimer = 0;
    lastTold = Date.now();
    htmx.trigger(document.body, "board-changed");
  };
  document.addEventListener("htmx:wsBeforeMessage", (event) => {
    const text = event.detail.message;
    if (typeof text !== "string" || !text.startsWith("{")) return;
    event.preventDefault(); // data, not markup
    const told = JSON.parse(text);
    if (told.moved) goTo(told);
    if (told.changed === "board" && !toldTimer) {
      toldTimer = setTimeout(tell, Math.max(0, lastTold + 1000 - Date.now()));
    }
  });

  // --- a merged incident: its page leads on, unless somebody is in the middle of something -----
  const goTo = ({ moved, words }) => {
    const writing = [...document.querySelectorAll("main textarea, dialog[open]")];
    if (writing.some((element) => element.open || element.value)) {
      setDot("off", "Not live");
      say(words, { href: moved, text: "Go there" });
    } else {
      location.assign(moved);
    }
  };
  document.addEventListener("incident-moved", (event) => goTo(event.detail));

  // --- panels ----------------------------------------------------------------------------
  const OUT_OF_BAND = /<[a-z]+ [^>]*hx-swap-oob="true"/g;
  const isUnknown = (element) => element.id && !document.getElementById(element.id);
  htmx.defineExtension("known-panels", {
    transformResponse(text) {
      const sent = text.match(OUT_OF_BAND);
      if (!sent) return text;
      const ids = sent.map((tag) => (tag.match(/ id="([^"]+)"/) || [])[1]);
      if (ids.every((id) => document.getElementById(id))) return text;
      const held = document.createElement("template");
      held.innerHTML = text;
      for (const element of held.content.querySelectorAll("[hx-swap-oob]")) {
        if (isUnknown(element)) element.remove();
      }
      return held.innerHTML;
    },
  });
  const shown = new Map();
  for (const panel of document.querySelectorAll(".panel[id]")) shown.set(panel.id, panel.outerHTML);
  let focused = "";
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const fresh = fragment.firstElementChild || fragment;
    if (!target.classList.contains("panel")) return;
    if (shown.get(target.id) === fresh.outerHTML) {
      event.detail.shouldSwap = false;
      return;
    }
    shown.set(target.id, fresh.outerHTML);
    focused = target.contains(document.activeElement) ? document.activeElement.id : "";
    for (const open of target.querySelectorAll("details[open][id]")) {
      const same = fresh.querySelector(`#${CSS.escape(open.id)}`);
      if (same) same.open = true;
    }
    for (const field of target.querySelectorAll("input[id], textarea[id], select[id]")) {
      const same = fresh.querySelector(`#${CSS.escape(field.id)}`);
      if (same && same.form && field.value !== same.value) same.value = field.value;
    }
    const list = target.querySelector("[data-keep-scroll]");
    if (list) keepScroll(list);
  });
  const keepScroll = (list) => {
    const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
    const top = list.scrollTop;
    const id = list.id;
    queueMicrotask(() => {
      const fresh = document.getElementById(id);
      if (fresh) fresh.scrollTop = atEnd ? fresh.scrollHeight : top;
    });
  };
  document.addEventListener("htmx:oobAfterSwap", () => {
    if (focused) {
      const again = document.getElementById(focused);
      if (again) again.focus({ preventScroll: true });
      focused = "";
    }
    window.studioTimes();
  });
  document.addEventListener("htmx:afterSwap", () => window.studioTimes());
  window.studioTimes();
  for (const list of document.querySelectorAll("[data-keep-scroll]")) list.scrollTop = list.scrollHeight;

  // --- answers of buttons and polls ---------------------------------------------------------
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.requestConfig.elt.isConnected) {
      event.detail.shouldSwap = false; // the socket was faster: what was pressed is already replaced
    }
    const address = event.detail.xhr.responseURL;
    if (address && new URL(address).pathname === "/login") {
      event.detail.shouldSwap = false;
      say("Your session has ended.", { href: signIn(), text: "Sign in again" });
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return;
    const form = event.target.closest("form");
    if (!form || event.detail.requestConfig.verb !== "post") return;
    if ("keep" in form.dataset) return; // its buttons only try what is typed
    form.reset();
    const dialog = form.closest("dialog");
    if (dialog) dialog.close();
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (requestConfig.verb === "get") return; // a poll: the next one will tell
    let words = `That did not work: the server answered ${xhr.status}.`;
    if ((xhr.getResponseHeader("Content-Type") || "").startsWith("application/problem+json")) {
      const problem = JSON.parse(xhr.responseText);
      if (window.studioRefused(event.target.closest("form"), problem)) return;
      words = problem.detail;
    } else if (xhr.status === 403) {
      words = "You may not do this. If you can, reload the page and try again.";
    }
    window.studioNotice(words);
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.requestConfig.verb !== "get") {
      window.studioNotice("The server could not be reached. Nothing was changed.");
    }
  });
})();
