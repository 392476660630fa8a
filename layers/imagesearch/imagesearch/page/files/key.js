/** Ask for an API key. It stays in memory: a reload forgets it. */

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

const PEACE = 10_000;

let asking = null;
let declined = -PEACE;

/**
 * Return a key that somebody typed; several requests that wait for one share the question. If one
 * was `refused`, they may decline: then it is null, and nobody is asked again for a while.
 */
export function askForKey(refused) {
  if (!asking && performance.now() - declined < PEACE) return null;
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
    const end = (key) => {
      dialog.close();
      dialog.remove();
      done(key);
    };
    const submit = (event) => {
      event.preventDefault();
      end(input.value.trim());
    };
    const decline = (event) => {
      event.preventDefault();
      if (!refused) return;
      declined = performance.now();
      end(null);
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
        h(
          "div",
          { class: "row" },
          h("button", { class: "button strong", type: "submit" }, t("key.use")),
          refused && h("button", { class: "button", type: "button", onclick: decline }, t("cancel")),
        ),
      ),
    );
    dialog.addEventListener("cancel", decline);
    document.body.append(dialog);
    dialog.showModal();
  });
}
