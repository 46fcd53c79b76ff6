// What the page does beyond Chainlit: citation marks, and the demo people on the sign-in page.

// A citation mark opens its passage in the side panel: the server is asked for it over the page's own socket.
(() => {
  "use strict";
  document.addEventListener(
    "click",
    (event) => {
      const mark = event.target instanceof Element && event.target.closest("a.element-link");
      const step = mark && mark.closest("[id^='step-']");
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const wanted = { type: "passage", step: step.id.slice("step-".length), mark: mark.textContent.trim() };
      window.postMessage(wanted, window.location.origin);
    },
    { capture: true },
  );
})();

// Demo mode: the sign-in page names the people that can be tried. Outside demo mode the list is not there (404).
(() => {
  "use strict";
  const PASSWORD = "demo";
  let people = null;

  const load = () => {
    people = people || fetch("/demo-people").then((answer) => (answer.ok ? answer.json() : []));
    return people;
  };

  const type = (field, value) => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, value);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const row = (person, form) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "demo-person";
    const said = person.display.toLowerCase() === person.role ? person.role : `${person.display}, ${person.role}`;
    for (const [kind, text] of [["demo-name", person.name], ["demo-display", said]]) {
      const part = document.createElement("span");
      part.className = kind;
      part.textContent = text;
      button.append(part);
    }
    button.addEventListener("click", () => {
      type(form.querySelector("#email"), person.name);
      type(form.querySelector("#password"), PASSWORD);
      form.querySelector("button[type=submit]").focus();
    });
    return button;
  };

  const panel = (list, form) => {
    const box = document.createElement("section");
    box.id = "demo-people";
    box.setAttribute("aria-label", "Demo people");
    const heading = document.createElement("p");
    heading.textContent = `Demo mode. Sign in as one of these; the password is “${PASSWORD}”.`;
    box.append(heading, ...list.map((person) => row(person, form)));
    return box;
  };

  const look = async () => {
    const form = document.querySelector("form:has(#email)");
    if (!form || form.dataset.demo) return;
    form.dataset.demo = "asked";
    const list = await load();
    if (list.length) form.after(panel(list, form));
  };

  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
})();
