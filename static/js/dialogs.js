/* Dialogs and menus, and the buttons that open, close and reveal.
 *
 * Focus goes back to what opened a dialog; where a live update replaced that meanwhile, to its
 * successor, and where the act took it away, to its panel.
 */
(() => {
  "use strict";
  const openers = new WeakMap();
  const show = (dialog, opener) => {
    openers.set(dialog, { element: opener, id: opener.id, panel: opener.closest(".panel")?.id });
    if (!dialog.open) dialog.showModal();
  };
  const isSeen = (element) => Boolean(element) && element.checkVisibility();
  document.addEventListener("close", (event) => {
    const opener = openers.get(event.target);
    if (!opener || isSeen(document.activeElement) && document.activeElement !== document.body) return;
    const { id, element, panel } = opener;
    const again = element.isConnected ? element : id && document.getElementById(id);
    const menu = again && again.closest("details.menu");
    const place = [again, menu && menu.querySelector("summary"), panel && document.getElementById(panel)].find(isSeen);
    if (!place) return;
    if (place.id === panel) place.tabIndex = -1;
    place.focus({ preventScroll: true });
  }, true);

  // --- the dialog whose form is fetched ----------------------------------------------------
  document.addEventListener("htmx:afterSwap", (event) => {
    const { target, requestConfig } = event.detail;
    const dialog = target.closest("dialog");
    if (!dialog) return;
    if (dialog.id === "act-dialog" && !dialog.open) {
      show(dialog, requestConfig.elt);
      const first = dialog.querySelector("textarea, select, input:not([type=hidden])");
      if (first) first.focus();
    } else if (dialog.open && !dialog.contains(document.activeElement)) {
      const close = dialog.querySelector("[data-closes]"); // it stood in what was replaced
      if (close) close.focus();
    }
  });

  // --- menus -------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target) || event.target.closest(".menu-items")) menu.open = false;
    }
  });
  const STEPS = { ArrowDown: 1, ArrowUp: -1 };
  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (STEPS[event.key] && menu.contains(document.activeElement)) {
      event.preventDefault(); // the page would scroll
      const items = [...menu.querySelectorAll("summary, .menu-items .button")].filter(isSeen);
      const next = items.indexOf(document.activeElement) + STEPS[event.key];
      items[(next + items.length) % items.length].focus();
    }
  });

  // --- buttons that act on the page itself ---------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-opens], [data-closes], [data-reveals]");
    if (!target) return;
    if (target.dataset.opens) {
      show(document.querySelector(target.dataset.opens), target);
    } else if (target.dataset.reveals) {
      let shown = document.querySelector(target.dataset.reveals);
      while (shown) {
        shown.open = true;
        shown = shown.parentElement.closest("details");
      }
    } else {
      target.closest("dialog").close();
    }
  });
})();
