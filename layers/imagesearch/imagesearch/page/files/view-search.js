/** The search: a picture on one side, what looks like it on the other. */

import { pasted } from "./drop.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { picturePane } from "./picture-pane.js";
import * as query from "./query.js";
import { refinePane } from "./refine.js";
import { results } from "./results.js";
import * as why from "./why.js";

/** Show the search in `root`; returns how to take it away. */
export function mount(root) {
  const picture = picturePane();
  const refine = refinePane();
  const found = results();
  const paste = (event) => {
    const file = pasted(event);
    if (file) query.searchPicture(file, file.name);
  };
  const update = () => {
    picture.update();
    refine.update();
    found.update();
  };
  root.append(
    h(
      "div",
      { class: "search" },
      h(
        "aside",
        { class: "side" },
        h("h1", { class: "unseen" }, t("nav.search")),
        picture.element,
        refine.element,
      ),
      found.element,
    ),
  );
  document.addEventListener("paste", paste);
  const stop = query.onchange(update);
  const stopWhy = why.onchange(() => {
    picture.update();
    found.explain();
  });
  update();
  return () => {
    stop();
    stopWhy();
    document.removeEventListener("paste", paste);
  };
}
