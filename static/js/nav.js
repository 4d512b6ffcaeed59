/* The main navigation: on narrow screens a menu that names the page it is on, on wide ones "More".
 *
 * Both are disclosures: a button with aria-expanded, closed by Escape, by a click elsewhere and by
 * focus that leaves. Without scripts all entries are in sight.
 */
(() => {
  "use strict";
  const nav = document.getElementById("nav");
  if (!nav) return;
  const toggle = document.getElementById("nav-toggle");
  const more = document.getElementById("nav-more-toggle");
  const current = nav.querySelector("[aria-current]");
  if (current) {
    toggle.querySelector(".nav-where").textContent = current.textContent;
    toggle.setAttribute("aria-label", `Menu, ${current.textContent}`);
    more.classList.toggle("is-current", current.closest(".nav-more") !== null);
  }

  const disclosures = [
    [toggle, nav],
    [more, document.getElementById("nav-more")],
  ];
  const isOpen = (button) => button.getAttribute("aria-expanded") === "true";
  const open = (button, shown) => button.setAttribute("aria-expanded", String(shown));
  for (const [button, list] of disclosures) {
    button.addEventListener("click", () => open(button, !isOpen(button)));
    const elsewhere = (target) => target && !button.contains(target) && !list.contains(target);
    document.addEventListener("click", (event) => {
      if (elsewhere(event.target)) open(button, false);
    });
    document.addEventListener("focusin", (event) => {
      if (elsewhere(event.target)) open(button, false);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !isOpen(button)) return;
      const inside = list.contains(document.activeElement);
      open(button, false);
      if (inside) button.focus();
    });
  }
})();
