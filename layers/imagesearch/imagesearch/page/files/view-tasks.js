/** Batch tasks: begin one, and follow them while they run. */

import * as api from "./api.js";
import * as catalogue from "./catalogue.js";
import { field, h, icon } from "./dom.js";
import { clock, inUse, number, t } from "./i18n.js";
import { problemBox } from "./problem.js";

const LIVELY = 1500;
const QUIET = 10_000;
const UNDER_WAY = new Set(["queued", "planning", "running", "stopping"]);

/** Show the view in `root`; returns how to take it away. */
export function mount(root) {
  const list = h("div", { class: "stack", "aria-live": "off" });
  let timer = 0;
  let gone = false;

  async function look() {
    clearTimeout(timer);
    const instance = catalogue.chosen()?.name;
    let lively = false;
    try {
      const found = instance ? (await api.tasks(instance)).increments : [];
      lively = found.some((task) => UNDER_WAY.has(task.state));
      if (!gone)
        list.replaceChildren(
          ...(found.length ? found.map((task) => panel(task, look)) : [nothing()]),
        );
    } catch (problem) {
      if (!gone) list.replaceChildren(problemBox(problem));
    }
    if (!gone) timer = setTimeout(look, lively ? LIVELY : QUIET);
  }

  root.append(
    h(
      "div",
      { class: "page" },
      h("h1", {}, t("tasks.title", { instance: catalogue.chosen()?.name ?? "–" })),
      h("p", { class: "lead" }, t("tasks.lead")),
      h("div", { class: "split" }, form(look), list),
    ),
  );
  look();
  return () => {
    gone = true;
    clearTimeout(timer);
  };
}

function form(look) {
  const bucket = h("input", {
    name: "bucket",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
  });
  const path = h("input", {
    name: "path",
    value: "/",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
  });
  const role = h("input", { name: "role", autocomplete: "off", spellcheck: "false" });
  const outcome = h("div", { class: "stack", role: "status" });
  const given = () => ({
    bucket: bucket.value.trim(),
    path: path.value.trim(),
    ...(role.value.trim() && { role_arn: role.value.trim() }),
  });
  const attempt = async (work) => {
    outcome.replaceChildren();
    try {
      outcome.replaceChildren(...(await work(catalogue.chosen().name, given())));
    } catch (problem) {
      outcome.replaceChildren(problemBox(problem));
    }
  };
  const check = async (instance, fields) => {
    const { ok, problems } = await api.checkTask(instance, fields);
    return ok ? [h("p", { class: "good" }, icon("check"), t("tasks.fine"))] : [causes(problems)];
  };
  const start = async (instance, fields) => {
    const task = await api.startTask(instance, fields);
    look();
    return [h("p", { class: "good" }, icon("check"), t("tasks.started", { id: task.id }))];
  };
  return h(
    "form",
    {
      class: "panel stack",
      onsubmit: (event) => {
        event.preventDefault();
        attempt(start);
      },
    },
    h("h2", {}, t("tasks.begin")),
    field(t("tasks.bucket"), bucket),
    field(t("tasks.path"), path, t("tasks.path.hint")),
    field(t("tasks.role"), role, t("tasks.role.hint")),
    h(
      "div",
      { class: "row" },
      h("button", { class: "button strong" }, t("tasks.start")),
      h(
        "button",
        { type: "button", class: "button", onclick: () => attempt(check) },
        t("tasks.check"),
      ),
    ),
    outcome,
  );
}

const nothing = () =>
  h("div", { class: "nothing small" }, icon("tasks"), h("p", {}, t("tasks.nothing")));

function panel(task, look) {
  const { counts } = task;
  const act = (work) => async () => {
    await work(task.instance, task.id).catch(() => {});
    look();
  };
  const stops = ["queued", "planning", "running"].includes(task.state);
  const resumes = ["cancelled", "failed"].includes(task.state);
  return h(
    "article",
    { class: "panel stack task", "aria-label": t("tasks.one", { id: task.id }) },
    h(
      "div",
      { class: "row spread" },
      h(
        "h2",
        { class: "cut" },
        `${task.bucket}${task.path.startsWith("/") ? "" : "/"}${task.path}`,
      ),
      h("span", { class: `badge state-${task.state}` }, t(`tasks.state.${task.state}`)),
    ),
    h("progress", { max: "100", value: task.percent, "aria-label": t("tasks.progress") }),
    h(
      "dl",
      { class: "figures" },
      figure(t("tasks.done"), `${number(counts.done)} / ${number(counts.total)}`),
      figure(t("tasks.added"), number(counts.added)),
      figure(t("tasks.deleted"), number(counts.deleted)),
      figure(t("tasks.failed"), number(counts.failed)),
      figure(t("tasks.rate"), number(task.pictures_per_second, 1)),
      task.seconds_left !== null &&
        figure(t("tasks.left"), t("tasks.seconds", { count: number(task.seconds_left) })),
    ),
    h(
      "p",
      { class: "hint" },
      task.submitted && t("tasks.submitted", { when: clock(task.submitted) }),
      task.queued_behind > 0 && ` · ${t("tasks.behind", { count: number(task.queued_behind) })}`,
    ),
    task.problem && causes([task.problem]),
    task.first_errors.length > 0 &&
      h(
        "details",
        {},
        h("summary", {}, t("tasks.errors", { count: number(counts.failed) })),
        causes(task.first_errors),
      ),
    h(
      "div",
      { class: "row" },
      stops &&
        h(
          "button",
          { type: "button", class: "button small", onclick: act(api.stopTask) },
          t("tasks.stop"),
        ),
      resumes &&
        h(
          "button",
          { type: "button", class: "button small", onclick: act(api.resumeTask) },
          t("tasks.resume"),
        ),
      task.error_report &&
        h("a", { class: "button small", href: task.error_report, download: "" }, t("tasks.report")),
    ),
  );
}

const figure = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function causes(problems) {
  const chinese = inUse() === "zh";
  return h(
    "ul",
    { class: "causes" },
    problems.map((cause) =>
      h(
        "li",
        {},
        h("strong", {}, cause.code),
        cause.line !== undefined && ` · ${t("tasks.line", { line: cause.line })}`,
        h("p", {}, (chinese && cause.message_zh) || cause.message),
        h("p", { class: "hint" }, (chinese && cause.fix_zh) || cause.fix || ""),
      ),
    ),
  );
}
