/* Theme toggle, notices, what is spoken, and times in the reader's own zone. */
(() => {
  "use strict";
  const root = document.documentElement;
  const zone = document.body.dataset.timeZone || "UTC";

  // --- theme -----------------------------------------------------------------------------
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
  const toggle = document.getElementById("theme-toggle");
  const label = () => {
    if (toggle) toggle.textContent = isDark() ? "Light" : "Dark";
  };
  if (toggle) {
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("studio-theme", root.dataset.theme);
      } catch {
        // not remembered then
      }
      label();
    });
    systemDark.addEventListener("change", label);
    label();
  }

  // --- tabs in a row that scrolls: the one of this page is in sight -----------------------
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

  // --- a form that came back: at its first mistake -------------------------------------------
  document.querySelector("main form [aria-invalid=true]")?.focus();

  // --- times -----------------------------------------------------------------------------
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric", month: "short", day: "numeric" });
  const two = (n) => String(n).padStart(2, "0");
  const spoken = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s}s`;
    if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
    if (s < 86400) return `${Math.floor(s / 3600)}h ${two(Math.floor((s % 3600) / 60))}m`;
    return `${Math.floor(s / 86400)}d ${Math.floor((s % 86400) / 3600)}h`;
  };
  const write = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  const showTimes = (within) => {
    for (const element of within.querySelectorAll("time[datetime]:not([data-age])")) {
      if (!element.dateTime.includes("T")) continue; // a day, not a moment
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const today = day.format(at) === day.format(new Date()) && !element.closest(".paper");
      const short = element.closest(".timeline") || today; // a document is read on other days too
      write(element, short ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`);
      element.title = `${day.format(at)}, ${clock.format(at)} ${zone}`;
    }
  };
  const showAges = () => {
    for (const element of document.querySelectorAll("time[data-age]")) {
      const at = new Date(element.dateTime);
      if (!Number.isNaN(at.getTime())) write(element, spoken((Date.now() - at.getTime()) / 1000));
    }
  };
  window.studioTimes = () => {
    showTimes(document);
    showAges();
  };
  setInterval(showAges, 1000);

  // --- notices ---------------------------------------------------------------------------
  window.studioNotice = (text, good = false) => {
    const region = document.getElementById("notice");
    if (!region) return;
    const item = document.createElement("div");
    item.className = good ? "notice-item good" : "notice-item";
    const words = document.createElement("span");
    words.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button button-quiet button-small";
    close.textContent = "Dismiss";
    close.addEventListener("click", () => item.remove());
    item.append(words, close);
    region.replaceChildren(item);
    setTimeout(() => item.remove(), good ? 3000 : 15000);
  };

  // --- spoken to those who do not see the page ----------------------------------------------
  let toSay = [];
  window.studioSay = (text) => {
    const region = document.getElementById("said");
    if (!region) return;
    if (!toSay.length) {
      setTimeout(() => {
        region.textContent = toSay.join(". ");
        toSay = [];
      }, 200); // what changes together is said together
    }
    toSay.push(text);
  };

  // --- the token that a form needs: that of whoever is signed in now, in whichever tab --------
  window.studioToken = () => {
    const cookie = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="));
    if (cookie) return cookie.slice("csrftoken=".length);
    return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  };
})();
