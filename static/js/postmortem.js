/* Writing a postmortem: each section is saved as it is typed, with the version it was read at.
   A conflict shows both texts; what could not be sent is kept in this browser. */
(() => {
  "use strict";
  const PAUSE_MS = 800;
  const RETRY_MS = 5000;
  const article = document.querySelector("[data-postmortem]");
  if (!article || !["responder", "admin"].includes(document.body.dataset.role)) return;
  const address = article.dataset.postmortem;
  const unsaved = new Set();

  const kept = (name) => `studio-postmortem:${location.pathname}:${name}`;
  const remember = (name, text) => {
    try {
      if (text === null) localStorage.removeItem(kept(name));
      else localStorage.setItem(kept(name), text);
    } catch {
      // not kept then: the page still asks before it is left
    }
  };
  const remembered = (name) => {
    try {
      return localStorage.getItem(kept(name));
    } catch {
      return null;
    }
  };

  const setUp = (part) => {
    const name = part.dataset.section;
    const find = (mark) => part.querySelector(`[${mark}]`);
    const [button, editor, area, reads, said] = [find("data-edits"), part.querySelector(".part-editor"), find("data-writes"), find("data-reads"), find("data-saved")];
    const [conflict, theirs] = [find("data-conflict"), find("data-theirs")];
    if (!button || !area) return;
    let version = Number(part.dataset.version);
    let saved = area.value;
    let timer = 0;
    let sending = false;
    let held = false; // a conflict waits for its decision

    const tell = (text, failed = false) => {
      said.textContent = text;
      said.classList.toggle("error", failed);
    };
    const settle = (section) => {
      version = section.version;
      saved = section.text;
      reads.innerHTML = section.html; // sanitised by the server
      unsaved.delete(name);
      remember(name, null);
    };
    let standing = null; // what somebody else wrote meanwhile
    const clash = (problem) => {
      held = true;
      standing = problem.section;
      version = standing.version;
      theirs.value = problem.section.text;
      find("data-conflict-by").textContent = problem.section.edited_by ? ` by ${problem.section.edited_by}` : "";
      conflict.hidden = false;
      tell("Not saved: changed meanwhile", true);
    };
    const send = async () => {
      clearTimeout(timer);
      if (sending || held || area.value === saved) return;
      sending = true;
      const text = area.value;
      tell("Saving");
      try {
        const answer = await fetch(address, {
          method: "PUT",
          credentials: "same-origin",
          headers: { "X-CSRFToken": window.studioToken(), "Content-Type": "application/json", Accept: "application/json" },
          body: JSON.stringify({ sections: { [name]: { text, version } } }),
        });
        const body = await answer.json().catch(() => ({}));
        if (answer.ok) {
          window.studioSignedIn();
          settle(body.sections.find((one) => one.name === name));
          tell("Saved");
        } else if (answer.status === 412) {
          clash(body);
        } else if (answer.status === 401) {
          window.studioSignedOut();
          tell("Not saved: your session has ended. It is tried again once you are signed in.", true);
          timer = setTimeout(send, RETRY_MS);
        } else {
          tell(`Not saved: ${body.detail || `the server answered ${answer.status}`}`, true);
          if (answer.status >= 500) timer = setTimeout(send, RETRY_MS);
        }
      } catch {
        tell("Not saved: no connection. It is tried again.", true);
        timer = setTimeout(send, RETRY_MS);
      }
      sending = false;
      if (area.value !== text) later();
    };
    const later = () => {
      if (area.value === saved) return;
      unsaved.add(name);
      remember(name, area.value);
      clearTimeout(timer);
      timer = setTimeout(send, PAUSE_MS);
    };
    const grow = () => {
      area.rows = Math.min(40, Math.max(6, area.value.split("\n").length + 2));
    };
    const open = (shown) => {
      editor.hidden = !shown;
      reads.hidden = shown;
      button.textContent = shown ? "Done" : "Edit";
      button.setAttribute("aria-expanded", String(shown));
      if (shown) {
        grow();
        area.focus();
      } else {
        send();
      }
    };

    button.addEventListener("click", () => open(editor.hidden));
    area.addEventListener("input", () => {
      grow();
      later();
    });
    area.addEventListener("blur", send);
    find("data-use-mine").addEventListener("click", () => {
      held = false;
      conflict.hidden = true;
      area.focus();
      send();
    });
    find("data-use-theirs").addEventListener("click", () => {
      held = false;
      conflict.hidden = true;
      area.value = standing.text;
      settle(standing);
      grow();
      area.focus();
      tell("Theirs stands; yours was given up");
    });

    const before = remembered(name);
    if (before !== null && before !== saved) {
      area.value = before;
      open(true);
      unsaved.add(name);
      tell("Not saved yet: typed in this browser before", true);
    } else {
      remember(name, null);
    }
  };

  article.querySelectorAll("[data-section]").forEach(setUp);
  addEventListener("beforeunload", (event) => {
    if (unsaved.size) event.preventDefault();
  });
})();
