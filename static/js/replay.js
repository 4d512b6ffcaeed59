/* The replay's slider: while it is dragged its moment is written beside it. */
(() => {
  "use strict";
  document.addEventListener("input", (event) => {
    const slider = event.target.closest("[data-replay]");
    if (!slider) return;
    const at = new Date(Number(slider.value) * 1000);
    const shown = document.createElement("time");
    shown.dateTime = at.toISOString();
    document.getElementById("replay-shown").replaceChildren(shown);
    window.studioTimes();
    slider.setAttribute("aria-valuetext", shown.textContent);
  });
})();
