/** Build a filter expression (docs/filters.md) row by row, or write it by hand. */

import { h, icon, later, select } from "./dom.js";
import { t } from "./i18n.js";

const FIELDS = [
  "int_attr",
  "int_attr2",
  "int_attr3",
  "int_attr4",
  "str_attr",
  "str_attr2",
  "str_attr3",
  "str_attr4",
];
const NUMBERS = ["=", "!=", "<", "<=", ">", ">=", "in", "not in"];
const TEXTS = ["=", "!=", "in", "not in"];

/** The rows outlive the view, so that coming back to it finds them again. */
const rows = [];
let join = "AND";

/** The builder and the expression; `onfilter` is called with every expression to be used. */
export function filterBuilder(expression, onfilter) {
  const list = h("div", { class: "rows" });
  const text = h("input", {
    class: "expression",
    value: expression,
    spellcheck: "false",
    autocomplete: "off",
    placeholder: 'str_attr = "red" AND int_attr < 5',
    "aria-label": t("filter.expression"),
    onchange: () => {
      rows.length = 0;
      draw();
      onfilter(text.value.trim());
    },
  });
  const soon = later(onfilter, 350);
  const changed = () => {
    text.value = written(rows, join);
    soon(text.value);
  };

  function draw() {
    list.replaceChildren(
      ...rows.map((row, index) =>
        rowOf(row, changed, () => {
          rows.splice(index, 1);
          draw();
          changed();
        }),
      ),
    );
    joining.hidden = rows.length < 2;
  }

  const joining = select(
    {
      class: "small",
      "aria-label": t("filter.join"),
      onchange: (event) => {
        join = event.target.value;
        changed();
      },
    },
    [
      ["AND", t("filter.all")],
      ["OR", t("filter.any")],
    ],
    join,
  );
  const more = h(
    "button",
    {
      type: "button",
      class: "button small",
      onclick: () => {
        rows.push({ field: "str_attr", operator: "=", value: "" });
        draw();
        list.lastElementChild.querySelector("input").focus();
      },
    },
    t("filter.more"),
  );
  draw();
  return h("div", { class: "filter" }, text, list, h("div", { class: "row" }, more, joining));
}

function rowOf(row, changed, remove) {
  const numeric = row.field.startsWith("int");
  const value = h("input", {
    value: row.value,
    inputmode: numeric ? "numeric" : "text",
    "aria-label": t("filter.value"),
    placeholder: numeric ? "5" : t("filter.text"),
    oninput: () => {
      row.value = value.value;
      changed();
    },
  });
  const operators = select(
    {
      "aria-label": t("filter.operator"),
      onchange: (event) => {
        row.operator = event.target.value;
        changed();
      },
    },
    (numeric ? NUMBERS : TEXTS).map((one) => [one, one]),
    row.operator,
  );
  const element = h(
    "div",
    { class: "filter-row" },
    select(
      {
        "aria-label": t("filter.field"),
        onchange: (event) => {
          Object.assign(row, { field: event.target.value, operator: "=" });
          element.replaceWith(rowOf(row, changed, remove));
          changed();
        },
      },
      FIELDS.map((one) => [one, one]),
      row.field,
    ),
    operators,
    value,
    h(
      "button",
      { type: "button", class: "button bare", "aria-label": t("filter.remove"), onclick: remove },
      icon("close"),
    ),
  );
  return element;
}

/** Write rows as an expression; rows without a value are left out. */
export function written(given, joined) {
  const whole = given.filter((row) => row.value.trim() !== "");
  return whole
    .map(({ field, operator, value }) => `${field} ${operator} ${literals(field, operator, value)}`)
    .join(` ${joined} `);
}

function literals(field, operator, value) {
  if (!operator.endsWith("in")) return literal(field, value);
  return `(${value
    .split(",")
    .map((one) => literal(field, one))
    .join(", ")})`;
}

function literal(field, value) {
  if (field.startsWith("int")) return value.trim();
  return `"${value.trim().replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
}
