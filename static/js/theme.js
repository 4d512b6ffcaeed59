/* Runs before the first paint: the theme chosen on this device, else the system's, and that
 * scripts run, so that menus are drawn closed. */
(() => {
  "use strict";
  document.documentElement.dataset.js = "";
  try {
    const chosen = localStorage.getItem("studio-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // storage is blocked: the system's theme it is
  }
})();
