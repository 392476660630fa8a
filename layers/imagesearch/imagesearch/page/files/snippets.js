/** The search on the screen as a program would write it. */

import * as catalogue from "./catalogue.js";
import { h, icon, say } from "./dom.js";
import { t } from "./i18n.js";
import * as query from "./query.js";

const WAYS = { curl, Python: python, "Alibaba SDK": vendor };

/** Show the search as curl, Python and Alibaba Cloud's SDK. */
export function showSnippets() {
  const code = h("code");
  const tabs = Object.keys(WAYS).map((name) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        class: "tab",
        "aria-controls": "snippet",
        onclick: () => show(name),
      },
      name,
    ),
  );
  const show = (name) => {
    code.textContent = WAYS[name](query.fields(query.PAGE, query.state.page * query.PAGE));
    for (const tab of tabs) tab.setAttribute("aria-selected", String(tab.textContent === name));
  };
  const copy = async () => {
    // Without HTTPS, and elsewhere than on localhost, a page may only select it.
    if (!navigator.clipboard) return getSelection().selectAllChildren(code);
    await navigator.clipboard.writeText(code.textContent);
    say(t("snippets.copied"));
    copied.replaceChildren(icon("check"), t("snippets.copied"));
  };
  const copied = h(
    "button",
    { type: "button", class: "button strong", onclick: copy },
    icon("copy"),
    t("snippets.copy"),
  );
  const close = h(
    "button",
    {
      type: "button",
      class: "button bare",
      "aria-label": t("close"),
      onclick: () => dialog.close(),
    },
    icon("close"),
  );
  const dialog = h(
    "dialog",
    { class: "dialog wide", "aria-labelledby": "snippets-title", onclose: () => dialog.remove() },
    h(
      "div",
      { class: "row spread" },
      h("h2", { id: "snippets-title" }, t("snippets.title")),
      close,
    ),
    h("div", { role: "tablist", class: "tabs" }, tabs),
    h("pre", { id: "snippet", role: "tabpanel", class: "code", tabindex: "0" }, code),
    h("div", { class: "row" }, copied),
  );
  show("curl");
  document.body.append(dialog);
  dialog.showModal();
}

const path = () => `/v1/instances/${catalogue.chosen().name}/search`;
const keyed = () => !["127.0.0.1", "localhost"].includes(location.hostname);
const shell = (text) => `'${text.replace(/'/g, "'\\''")}'`;
const literal = (value) =>
  typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value);
const file = () => query.state.picture?.name || "picture.jpg";

function curl(fields) {
  const key = keyed() ? [`  -H "x-api-key: $API_KEY" \\`] : [];
  if (query.state.alike || query.state.text) {
    return [
      "curl -s -H 'content-type: application/json' \\",
      ...key,
      `  -d ${shell(JSON.stringify(fields))} \\`,
      `  ${shell(location.origin + path())}`,
    ].join("\n");
  }
  const kind = query.state.picture.blob.type || "application/octet-stream";
  const address = `${location.origin}${path()}?${new URLSearchParams(fields)}`;
  return [
    `curl -s -H 'content-type: ${kind}' \\`,
    ...key,
    `  --data-binary @${shell(file())} \\`,
    `  ${shell(address)}`,
  ].join("\n");
}

function python(fields) {
  const { product_id, pic_name, text: words, ...others } = fields;
  const { picture, alike, text } = query.state;
  const given = [
    literal(catalogue.chosen().name),
    ...(text ? [literal(words)] : []),
    ...(alike ? [`by=(${literal(product_id)}, ${literal(pic_name)})`] : []),
    ...(picture && !alike && !text ? [`Path(${literal(file())})`] : []),
    ...Object.entries(others).map(([name, value]) => `${name}=${literal(value)}`),
  ];
  return [
    ...(alike || text ? [] : ["from pathlib import Path", ""]),
    "from imagesearch_client import Client",
    "",
    `with Client(${literal(location.origin)}${keyed() ? ", api_key=API_KEY" : ""}) as client:`,
    `    found = client.${text ? "search_text" : "search"}(`,
    ...given.map((one) => `        ${one},`),
    "    )",
    "for hit in found.hits:",
    "    print(hit.product_id, hit.pic_name, hit.score)",
  ].join("\n");
}

function vendorCall() {
  if (query.state.text) return ["SearchImageByTextRequest", "search_image_by_text"];
  if (query.state.alike) return ["SearchImageByNameRequest", "search_image_by_name"];
  return ["SearchImageByPicRequest", "search_image_by_pic"];
}

function vendor(fields) {
  const named = Boolean(query.state.alike || query.state.text);
  const [kind, method] = vendorCall();
  const given = Object.entries(fields).map(
    ([name, value]) =>
      `    ${name === "distinct_product" ? "distinct_product_id" : name}=${literal(name === "score_threshold" ? String(value) : value)},`,
  );
  return [
    ...(named ? [] : ["import base64", "from pathlib import Path", ""]),
    "from alibabacloud_imagesearch20201214.client import Client",
    `from alibabacloud_imagesearch20201214.models import ${kind}`,
    "from alibabacloud_tea_openapi.models import Config",
    "",
    "client = Client(",
    "    Config(",
    "        access_key_id=KEY_ID,",
    "        access_key_secret=KEY_SECRET,",
    `        endpoint=${literal(location.host)},`,
    ...(location.protocol === "http:" ? ['        protocol="http",'] : []),
    "    )",
    ")",
    `request = ${kind}(`,
    `    instance_name=${literal(catalogue.chosen().name)},`,
    ...(named
      ? []
      : [`    pic_content=base64.b64encode(Path(${literal(file())}).read_bytes()).decode(),`]),
    ...given,
    ")",
    `for hit in client.${method}(request).body.auctions:`,
    "    print(hit.product_id, hit.pic_name, hit.score)",
  ].join("\n");
}
