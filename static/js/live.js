/* Live pages: what htmx and its websocket extension leave to us.
 *
 * - a notice from the board's socket becomes the event `board-changed`, at most once a second;
 * - the extension reconnects after 1006 and 1011 to 1013 only: the rest is done here;
 * - 4401 means signed out, 4404 not found: both end the connection for good;
 * - who signs in again in another tab goes on here, with what was typed;
 * - the page of an incident that was merged leads on to its survivor.
 */
(() => {
  "use strict";
  const RETRIED_BY_EXTENSION = [1006, 1011, 1012, 1013];
  const banner = document.getElementById("connection");
  let leaving = false;
  let bannerTimer = 0;
  let socket = null;
  let isSignedOut = false;
  addEventListener("pagehide", () => { leaving = true; });
  addEventListener("pageshow", () => { leaving = false; });
  htmx.config.wsReconnectDelay = (attempt) => Math.min(400 * 2 ** attempt, 5000) * (0.6 + 0.4 * Math.random());

  const say = (text, link) => {
    banner.hidden = false; // first, so that what is written into it is spoken
    banner.textContent = text;
    banner.classList.toggle("banner-ended", Boolean(link));
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = link.href;
      anchor.textContent = link.text;
      banner.append(" ", anchor);
    }
  };
  const setDot = (state, words) => {
    for (const dot of document.querySelectorAll("[data-live]")) {
      dot.dataset.live = state;
      dot.textContent = words;
    }
  };
  const isWriting = () => [...document.querySelectorAll("main textarea, dialog[open]")]
    .some((element) => element.open || element.value !== element.defaultValue);

  // --- the session -----------------------------------------------------------------------
  window.studioSignedOut = () => {
    isSignedOut = true;
    const next = encodeURIComponent(location.pathname + location.search);
    say("Your session has ended.", { href: `/login?next=${next}`, text: "Sign in again" });
  };
  banner.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && isWriting()) link.target = "_blank"; // what was typed waits here
  });
  window.studioSignedIn = () => {
    if (!isSignedOut) return;
    isSignedOut = false;
    banner.hidden = true;
    if (socket) socket.reconnect();
  };
  const comeBack = async () => {
    if (!isSignedOut || document.hidden) return;
    const answer = await fetch("/profile", { redirect: "manual" }).catch(() => null);
    if (answer && answer.ok) window.studioSignedIn();
  };
  document.addEventListener("visibilitychange", comeBack);
  addEventListener("focus", comeBack);

  // --- the socket ------------------------------------------------------------------------
  document.addEventListener("htmx:wsOpen", (event) => {
    clearTimeout(bannerTimer);
    socket = event.detail.socketWrapper;
    if (!isSignedOut) banner.hidden = true;
    setDot("on", "Live");
  });
  document.addEventListener("htmx:wsClose", (event) => {
    if (leaving) return;
    clearTimeout(bannerTimer);
    const code = event.detail.event.code;
    setDot("off", "Not live");
    if (code === 4401) {
      window.studioSignedOut();
      return;
    }
    if (code === 4404) {
      say("This incident is no longer here.", { href: "/", text: "To the board" });
      return;
    }
    if (!isSignedOut) bannerTimer = setTimeout(() => say("Connection lost. Reconnecting; the page updates when it is back."), 1200);
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
    if (isWriting()) {
      setDot("off", "Not live");
      say(words, { href: moved, text: "Go there" });
    } else {
      location.assign(moved);
    }
  };
  document.addEventListener("incident-moved", (event) => goTo(event.detail));
})();
