/* Copy buttons: `data-copy` is a selector of the element whose text is copied, `data-copy-text`
   the text itself. Delegated, so that what htmx puts on the page later works too. */
(() => {
  "use strict";
  const SHOWN_MS = 2000;
  const said = document.createElement("div");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  document.body.append(said);

  const write = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea"); // plain http: no clipboard API
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("copying is not allowed");
    return undefined;
  };

  const confirmOn = (button) => {
    if (button.dataset.copied === undefined) button.dataset.copied = button.textContent;
    const words = button.dataset.copied;
    button.textContent = "Copied";
    button.classList.add("is-copied");
    said.textContent = `${button.dataset.copyName || "Text"} copied`;
    clearTimeout(Number(button.dataset.copyTimer));
    button.dataset.copyTimer = setTimeout(() => {
      button.textContent = words;
      button.classList.remove("is-copied");
      said.textContent = "";
    }, SHOWN_MS);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-text]");
    if (!button) return;
    const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
    const text = source ? source.textContent : button.dataset.copyText;
    if (!text) return;
    write(text).then(
      () => {
        confirmOn(button);
        button.focus({ preventScroll: true }); // the textarea had taken it
      },
      () => window.studioNotice("The browser did not allow copying; select the text instead."),
    );
  });
})();
