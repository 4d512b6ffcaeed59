/* The form of a note: its images are chosen, pasted or dropped; what would be refused is refused
   here, before it is sent, and sending can be watched and stopped. */
(() => {
  "use strict";
  const note = document.querySelector("[data-note-form]");
  if (!note) return;
  const TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
  const most = Number(note.dataset.mostImages);
  const mostBytes = Number(note.dataset.mostBytes);
  const input = note.elements.images;
  const text = note.elements.text;
  const find = (mark) => note.querySelector(`[${mark}]`);
  const chosen = find("data-chosen");
  const refused = find("data-form-error");
  const sized = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

  // --- what is chosen ------------------------------------------------------------------------
  let held = []; // an input forgets its files when a second choice is made
  const why = (file) => {
    if (!TYPES.includes(file.type)) return `${file.name} is not taken: PNG, JPEG, GIF and WebP pictures are.`;
    if (file.size > mostBytes) return `${file.name} has ${sized(file.size)}; an image may have ${sized(mostBytes)}.`;
    return "";
  };
  const row = (file) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = `${file.name} (${sized(file.size)})`;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "button button-quiet button-small";
    remove.textContent = "Remove";
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.addEventListener("click", () => {
      refused.hidden = true;
      hold(held.filter((other) => other !== file));
      text.focus();
    });
    item.append(name, remove);
    return item;
  };
  const hold = (files) => {
    const transfer = new DataTransfer();
    for (const file of files) transfer.items.add(file);
    input.files = transfer.files;
    held = files;
    text.required = files.length === 0;
    chosen.hidden = files.length === 0;
    chosen.replaceChildren(...files.map(row));
  };
  const add = (files) => {
    const reasons = files.map(why).filter(Boolean);
    const fits = files.filter((file) => !why(file));
    const room = Math.max(0, most - held.length);
    if (fits.length > room) reasons.push(`A note takes ${most} images; ${fits.length - room} of these were left out.`);
    refused.hidden = true;
    if (reasons.length) window.studioRefused(note, reasons.join(" "));
    hold([...held, ...fits.slice(0, room)]);
  };
  input.addEventListener("change", () => add([...input.files]));
  note.addEventListener("reset", () => setTimeout(() => hold([]), 0));
  note.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    add(files);
  });
  for (const kind of ["dragenter", "dragover"]) {
    note.addEventListener(kind, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      note.classList.add("is-over");
    });
  }
  note.addEventListener("dragleave", (event) => {
    if (!note.contains(event.relatedTarget)) note.classList.remove("is-over");
  });
  note.addEventListener("drop", (event) => {
    note.classList.remove("is-over");
    const files = [...event.dataTransfer.files];
    if (!files.length) return;
    event.preventDefault();
    add(files);
  });

  // --- sending -------------------------------------------------------------------------------
  const sending = find("data-sending");
  const bar = sending.querySelector("progress");
  const words = find("data-sent");
  let isUp = false;
  note.addEventListener("htmx:xhr:loadstart", () => {
    if (isUp || !held.length) return;
    bar.value = 0;
    words.textContent = "Sending";
    sending.hidden = false;
  });
  note.addEventListener("htmx:xhr:progress", (event) => {
    const { loaded, total, lengthComputable } = event.detail;
    if (isUp || !lengthComputable || sending.hidden) return; // the answer's own progress comes after
    bar.value = loaded / total;
    isUp = loaded === total;
    words.textContent = isUp ? "Sent, being read" : `Sending ${Math.round((100 * loaded) / total)} %`;
  });
  note.addEventListener("htmx:afterRequest", () => {
    isUp = false;
    sending.hidden = true;
  });
  find("data-stops").addEventListener("click", () => {
    htmx.trigger(note, "htmx:abort");
    text.focus();
  });
})();
