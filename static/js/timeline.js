/* The timeline on a page: its filter and its permalinks.
 *
 * The filter hides what is listed and stays in the address (?kind=&source=), so that it outlives
 * live updates, which replace the list, and can be sent to somebody. A link to an event that is
 * not listed leads to the page that has it.
 */
(() => {
  "use strict";
  const list = () => document.getElementById("timeline-list");

  // --- filter ------------------------------------------------------------------------------
  const form = () => document.querySelector("#timeline [data-timeline-filter]");
  const fields = () => ["kind", "source"].map((name) => form().elements[name]);
  const filter = () => {
    if (!form()) return;
    const [kind, source] = fields();
    const group = kind.selectedOptions[0];
    const isGroup = group && group.value && !group.dataset.group;
    const kinds = isGroup
      ? [...kind.querySelectorAll(`option[data-group="${group.value}"]`)].map((one) => one.value)
      : [kind.value];
    let left = 0;
    const events = [...list().querySelectorAll(".event")];
    for (const event of events) {
      const fits = (!kind.value || kinds.includes(event.dataset.kind))
        && (!source.value || event.dataset.source === source.value);
      event.hidden = !fits;
      left += fits;
    }
    const filtered = Boolean(kind.value || source.value);
    for (const day of list().querySelectorAll(".timeline-day")) day.hidden = filtered && !left;
    const count = document.querySelector("#timeline [data-timeline-count]");
    count.hidden = !filtered;
    count.textContent = filtered ? `${left} of the ${events.length} events listed here` : "";
  };
  const remember = () => {
    const address = new URL(location.href);
    for (const field of fields()) {
      if (field.value) address.searchParams.set(field.name, field.value);
      else address.searchParams.delete(field.name);
    }
    history.replaceState(history.state, "", address);
  };
  const recall = () => {
    if (!form()) return;
    const wanted = new URL(location.href).searchParams;
    for (const field of fields()) {
      const value = wanted.get(field.name) || "";
      if ([...field.options].some((option) => option.value === value)) field.value = value;
    }
    filter();
  };
  document.addEventListener("change", (event) => {
    if (!event.target.closest("#timeline [data-timeline-filter]")) return;
    remember();
    filter();
  });

  // --- permalinks --------------------------------------------------------------------------
  const target = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    return name.startsWith("event-") ? name : "";
  };
  const mark = () => {
    const wanted = target();
    for (const event of document.querySelectorAll(".event.is-target")) {
      if (event.id !== wanted) event.classList.remove("is-target");
    }
    const event = wanted && document.getElementById(wanted);
    if (event) event.classList.add("is-target");
    return event;
  };
  const go = () => {
    const wanted = target();
    if (!wanted || !list()) return;
    let event = mark();
    if (!event) {
      const there = `${list().dataset.all}?event=${encodeURIComponent(wanted.slice("event-".length))}`;
      if (list().dataset.all !== location.pathname) location.replace(`${there}#${wanted}`);
      else if (!location.search.includes("event=")) location.assign(`${there}#${wanted}`);
      return;
    }
    if (event.hidden) {
      for (const field of fields()) field.value = "";
      remember();
      filter();
    }
    event.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", go);
  document.addEventListener("panels-swapped", () => { recall(); mark(); });
  recall();
  go();
})();
