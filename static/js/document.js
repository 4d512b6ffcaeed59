/* Documents: the button that prints them. */
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-prints]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
})();
