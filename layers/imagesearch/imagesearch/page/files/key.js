/** Ask for an API key. It stays in memory: a reload forgets it. */

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

let asking = null;

/** Return a key that somebody typed; several requests that wait for one share the question. */
export function askForKey(refused) {
  asking ??= ask(refused).finally(() => {
    asking = null;
  });
  return asking;
}

function ask(refused) {
  const signs = document.documentElement.dataset.authorization === "iam";
  return new Promise((done) => {
    const input = h("input", {
      type: "password",
      autocomplete: "off",
      name: "key",
      required: true,
    });
    const submit = (event) => {
      event.preventDefault();
      dialog.close();
      dialog.remove();
      done(input.value.trim());
    };
    const dialog = h(
      "dialog",
      { class: "dialog", "aria-labelledby": "key-title" },
      h(
        "form",
        { onsubmit: submit },
        h("h2", { id: "key-title" }, icon("key"), t("key.title")),
        h("p", {}, t(refused ? "key.refused" : "key.why")),
        signs && h("p", { class: "notice" }, t("key.signs")),
        h("label", { class: "field" }, h("span", { class: "label" }, t("key.label")), input),
        h("p", { class: "hint" }, t("key.kept")),
        h("button", { class: "button strong", type: "submit" }, t("key.use")),
      ),
    );
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
  });
}
