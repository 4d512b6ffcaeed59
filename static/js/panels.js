/* Panels: a live update replaces each whole, and what the reader had in it survives.
 *
 * - one that came out the same is not swapped, one that the page does not hold is left out: a
 *   server that was updated meanwhile may send a panel that the page does not know;
 * - what was opened, typed, scrolled and focused stays, and so does the place of the caret;
 * - focus whose element is gone goes to the panel itself, never back to the top of the page;
 * - a panel whose change would take away a field with typed words waits, and says so;
 * - one in which a list of choices is open waits until it is closed: a swap would close it;
 * - parts marked `data-announce` are spoken when they changed. A panel as a live region would be
 *   read as a whole, or not at all: it is replaced.
 * All panels of one message are put in order together, once, before the page is drawn.
 */
(() => {
  "use strict";
  const OUT_OF_BAND = /<[a-z]+ [^>]*hx-swap-oob="true"/g;
  const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
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

  // --- what has no id is found again by where it leads or what it says ------------------------------------------
  const words = (element) => `${element.tagName} ${
    element.getAttribute("href") || element.getAttribute("aria-label") || element.textContent.trim()}`;
  const alike = (panel, said) => [...panel.querySelectorAll(FOCUSABLE)].filter((one) => words(one) === said);
  const placeOf = (panel, element) => {
    if (element.id) return { id: element.id };
    const said = words(element);
    return { said, nth: alike(panel, said).indexOf(element) };
  };
  const at = (panel, { id, said, nth }) => {
    if (!id) return alike(panel, said)[nth];
    return panel.id === id ? panel : panel.querySelector(`#${CSS.escape(id)}`);
  };

  // --- before: what is to be kept ---------------------------------------------------------------
  const caretOf = (field) => {
    try {
      return field.selectionStart === null || field.selectionStart === undefined ? null
        : [field.selectionStart, field.selectionEnd, field.selectionDirection];
    } catch {
      return null; // a field that has no caret
    }
  };
  const keepValues = (panel, fresh) => {
    for (const open of panel.querySelectorAll("details[open][id]")) {
      const same = fresh.querySelector(`#${CSS.escape(open.id)}`);
      if (same) same.open = true;
    }
    for (const field of panel.querySelectorAll("input[id], textarea[id], select[id]")) {
      const same = fresh.querySelector(`#${CSS.escape(field.id)}`);
      if (!same || !same.form) continue;
      if (field.type === "checkbox" || field.type === "radio") same.checked = field.checked;
      else if (field.value !== same.value) same.value = field.value;
    }
  };
  const remember = (panel) => {
    const active = panel.contains(document.activeElement) ? document.activeElement : null;
    const list = panel.querySelector("[data-keep-scroll]");
    return {
      id: panel.id,
      focus: active && placeOf(panel, active),
      caret: active && caretOf(active),
      inside: active ? active.scrollTop : 0,
      list: list && {
        top: list.scrollTop,
        isAtEnd: list.scrollTop + list.clientHeight >= list.scrollHeight - 8,
      },
      refused: [...panel.querySelectorAll("details[id] [data-form-error]:not([hidden])")]
        .map((place) => [place.closest("details[id]").id, place.textContent]),
    };
  };
  const announce = (panel, fresh) => {
    for (const part of fresh.querySelectorAll("[data-announce]")) {
      const name = part.dataset.announce;
      const was = panel.querySelector(`[data-announce="${CSS.escape(name)}"]`);
      const now = part.textContent.trim();
      if (!was || was.textContent.trim() !== now) window.studioSay(`${name}: ${now}`);
    }
  };

  // --- a change that would take away what somebody is typing waits ---------------------------------
  const isTyped = (field) => field.value !== field.defaultValue && field.value.trim() !== "";
  const wouldLose = (panel, fresh) => [...panel.querySelectorAll("textarea[id], input[id]:not([type=hidden])")]
    .some((field) => field.form && isTyped(field) && !fresh.querySelector(`#${CSS.escape(field.id)}`));
  const replace = (panel, next) => {
    shown.set(panel.id, next.outerHTML);
    kept.push(remember(panel));
    keepValues(panel, next);
    announce(panel, next);
    panel.replaceWith(next);
    htmx.process(next);
    putBack();
  };
  const offer = (panel, fresh) => {
    panel.querySelector(":scope > .panel-waits")?.remove();
    const note = document.createElement("p");
    note.className = "panel-waits";
    note.setAttribute("role", "status");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-small";
    button.textContent = "Show the change";
    const next = fresh.cloneNode(true);
    button.addEventListener("click", () => replace(panel, next));
    note.append("This has changed. What you are typing in it would be gone. ", button);
    panel.prepend(note);
  };

  // --- one in which a list of choices is open waits for its end, which no event tells -----------------
  const CAN_TELL = CSS.supports("selector(select:open)");
  const isChoosing = (panel) => CAN_TELL && panel.querySelector("select:open") !== null;
  const waiting = new Map();
  let waitTimer = 0;
  const wait = (panel, fresh) => {
    waiting.set(panel.id, fresh.cloneNode(true));
    if (!waitTimer) waitTimer = setInterval(showWaiting, 200);
  };
  const showWaiting = () => {
    for (const [id, next] of waiting) {
      const panel = document.getElementById(id);
      if (panel && isChoosing(panel)) continue;
      waiting.delete(id);
      if (!panel) continue;
      if (wouldLose(panel, next)) offer(panel, next);
      else replace(panel, next);
    }
    if (waiting.size) return;
    clearInterval(waitTimer);
    waitTimer = 0;
  };

  const shown = new Map();
  for (const panel of document.querySelectorAll(".panel[id]")) shown.set(panel.id, panel.outerHTML);
  let kept = [];
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const fresh = fragment.firstElementChild || fragment;
    if (!target.classList.contains("panel")) return;
    waiting.delete(target.id); // this is newer
    if (shown.get(target.id) === fresh.outerHTML) {
      event.detail.shouldSwap = false;
      return;
    }
    if (isChoosing(target)) {
      event.detail.shouldSwap = false;
      wait(target, fresh);
      return;
    }
    if (wouldLose(target, fresh)) {
      event.detail.shouldSwap = false;
      offer(target, fresh);
      return;
    }
    shown.set(target.id, fresh.outerHTML);
    if (!kept.length) queueMicrotask(putBack);
    kept.push(remember(target));
    keepValues(target, fresh);
    announce(target, fresh);
  });

  // --- after: everything that was kept is put back -----------------------------------------------
  const focusOn = (panel, { focus, caret, inside }) => {
    if (document.activeElement && document.activeElement !== document.body) return;
    let element = at(panel, focus);
    if (!element || element.disabled || !element.checkVisibility()) element = panel;
    if (element === panel) panel.tabIndex = -1;
    element.focus({ preventScroll: true });
    if (element !== panel && caret) element.setSelectionRange(...caret);
    element.scrollTop = inside;
  };
  const putBack = () => {
    const before = kept;
    kept = [];
    window.studioTimes();
    document.dispatchEvent(new Event("panels-swapped")); // the timeline filters what came
    for (const one of before) {
      const panel = document.getElementById(one.id);
      if (!panel) continue;
      const list = one.list && panel.querySelector("[data-keep-scroll]");
      if (list) list.scrollTop = one.list.isAtEnd ? list.scrollHeight : one.list.top;
      for (const [id, text] of one.refused) {
        const form = panel.querySelector(`#${CSS.escape(id)} form`);
        if (form) window.studioRefused(form, text);
      }
      if (one.focus) focusOn(panel, one);
    }
  };
  document.addEventListener("htmx:afterSwap", () => window.studioTimes());
  window.studioTimes();
  for (const list of document.querySelectorAll("[data-keep-scroll]")) list.scrollTop = list.scrollHeight;
})();
