/** The search on the screen as a program would write it. */

import * as catalogue from "./catalogue.js";
import { h, icon, say } from "./dom.js";
import { t } from "./i18n.js";
import * as query from "./query.js";

const WAYS = { curl, Python: python, "Alibaba SDK": vendor };
const OURS = ["curl", "Python"];

/** Show the search as curl, Python and Alibaba Cloud's SDK. */
export function showSnippets() {
  const code = h("code");
  const ours = query.combines() || query.state.every;
  const tabs = (ours ? OURS : Object.keys(WAYS)).map((name) =>
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
    const start = query.state.page * query.PAGE;
    code.textContent = WAYS[name](query.fields(query.PAGE, start, PICTURE));
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
    ours && h("p", { class: "hint" }, t("snippets.ours")),
    h("div", { class: "row" }, copied),
  );
  show("curl");
  document.body.append(dialog);
  dialog.showModal();
}

/** Stands for the picture in base64, which would not fit on a screen. */
const PICTURE = "@picture@";

const path = () => `/v1/instances/${catalogue.chosen().name}/search`;
const keyed = () => !["127.0.0.1", "localhost"].includes(location.hostname);
const shell = (text) => `'${text.replace(/'/g, "'\\''")}'`;
const literal = (value) =>
  typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value);
const file = () => query.state.picture?.name || "picture.jpg";

/** A picture inside JSON is written by printf, in whose format % and \\ mean something. */
function curlWithPicture(fields, key) {
  const json = JSON.stringify(fields).replace(/\\/g, "\\\\").replace(/%/g, "%%");
  return [
    `printf ${shell(json.replace(PICTURE, "%s"))} "$(base64 < ${shell(file())} | tr -d '\\n')" |`,
    "  curl -s -H 'content-type: application/json' \\",
    ...key,
    "  --data-binary @- \\",
    `  ${shell(location.origin + path())}`,
  ].join("\n");
}

function curl(fields) {
  const key = keyed() ? [`  -H "x-api-key: $API_KEY" \\`] : [];
  if (fields.query?.[0].image) return curlWithPicture(fields, key);
  if (fields.query || query.state.alike || query.state.text) {
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

const named = (fields) =>
  Object.entries(fields).map(([name, value]) => `${name}=${literal(value)}`);

/** A part of a combined query as the client takes it. */
function part({ image, picture, ...others }) {
  const given = [
    ...(image ? [`image=Path(${literal(file())})`] : []),
    ...(picture ? [`by=(${literal(picture.product_id)}, ${literal(picture.pic_name)})`] : []),
    ...named(others),
  ];
  return `            Part(${given.join(", ")}),`;
}

function pythonTogether({ query: parts, ...others }) {
  const given = named(others).map((one) => `        ${one},`);
  return [
    ...(parts[0].image ? ["from pathlib import Path", ""] : []),
    "from imagesearch_client import Client, Part",
    "",
    client(),
    "    found = client.search_combined(",
    `        ${literal(catalogue.chosen().name)},`,
    "        [",
    ...parts.map(part),
    "        ],",
    ...given,
    "    )",
    ...PRINTED,
  ].join("\n");
}

function pythonEvery({ regions, ...others }) {
  return [
    "from pathlib import Path",
    "",
    "from imagesearch_client import Client",
    "",
    client(),
    "    found = client.search_subjects(",
    `        ${literal(catalogue.chosen().name)},`,
    `        Path(${literal(file())}),`,
    ...named(others).map((one) => `        ${one},`),
    "    )",
    `for subject in found.regions:  # ${regions}`,
    "    for hit in subject.hits:",
    "        print(subject.region, hit.product_id, hit.pic_name, hit.score)",
  ].join("\n");
}

const client = () =>
  `with Client(${literal(location.origin)}${keyed() ? ", api_key=API_KEY" : ""}) as client:`;
const PRINTED = ["for hit in found.hits:", "    print(hit.product_id, hit.pic_name, hit.score)"];

function python(fields) {
  if (fields.query) return pythonTogether(fields);
  if (fields.regions) return pythonEvery(fields);
  const { product_id, pic_name, text: words, ...others } = fields;
  const { picture, alike, text } = query.state;
  const given = [
    literal(catalogue.chosen().name),
    ...(text ? [literal(words)] : []),
    ...(alike ? [`by=(${literal(product_id)}, ${literal(pic_name)})`] : []),
    ...(picture && !alike && !text ? [`Path(${literal(file())})`] : []),
    ...named(others),
  ];
  return [
    ...(alike || text ? [] : ["from pathlib import Path", ""]),
    "from imagesearch_client import Client",
    "",
    client(),
    `    found = client.${text ? "search_text" : "search"}(`,
    ...given.map((one) => `        ${one},`),
    "    )",
    ...PRINTED,
  ].join("\n");
}

function vendorCall() {
  if (query.state.text) return ["SearchImageByTextRequest", "search_image_by_text"];
  if (query.state.alike) return ["SearchImageByNameRequest", "search_image_by_name"];
  return ["SearchImageByPicRequest", "search_image_by_pic"];
}

function vendor(fields) {
  const stored = Boolean(query.state.alike || query.state.text);
  const [kind, method] = vendorCall();
  const given = Object.entries(fields).map(
    ([name, value]) =>
      `    ${name === "distinct_product" ? "distinct_product_id" : name}=${literal(name === "score_threshold" ? String(value) : value)},`,
  );
  return [
    ...(stored ? [] : ["import base64", "from pathlib import Path", ""]),
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
    ...(stored
      ? []
      : [`    pic_content=base64.b64encode(Path(${literal(file())}).read_bytes()).decode(),`]),
    ...given,
    ")",
    `for hit in client.${method}(request).body.auctions:`,
    "    print(hit.product_id, hit.pic_name, hit.score)",
  ].join("\n");
}
