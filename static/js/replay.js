/* The replay's slider: while it is moved its moment is written beside it, and an answer that came
   when it had moved on is not shown: the next one is on its way. */
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
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt, parameters } = event.detail.requestConfig;
    const slider = elt.querySelector("[data-replay]");
    if (slider && String(parameters.at) !== slider.value) event.detail.shouldSwap = false;
  });
})();
