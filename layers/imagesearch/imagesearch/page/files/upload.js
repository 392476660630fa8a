/** The pictures that are being added; goes on while another view is shown. */

import * as api from "./api.js";
import * as catalogue from "./catalogue.js";
import { prepare } from "./picture.js";

const AT_ONCE = 4;
const PICTURE = /\.(jpe?g|png|bmp|gif|webp|tiff?|ppm)$/i;

/** What somebody wants for the pictures added next. */
export const wishes = {
  product: "folder",
  category: "",
  str_attr: "",
  int_attr: "",
  standing: "replace",
};

const listeners = new Set();
let jobs = [];
let running = 0;
let began = 0;

/** Call `listener` whenever something has changed; returns how to stop that. */
export function onchange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Every job, in the order given. */
export const all = () => jobs;

/** How far it is; `rate` in pictures a second. */
export function tally() {
  const done = jobs.filter((job) => job.state === "done").length;
  const failed = jobs.filter((job) => job.state === "failed").length;
  const seconds = (performance.now() - began) / 1000;
  return {
    total: jobs.length,
    done,
    failed,
    running: running > 0,
    rate: seconds > 0 ? done / seconds : 0,
  };
}

/** Add files, each `{ file, path }`; what is no picture by its name is left out. */
export function begin(files) {
  if (!running) {
    jobs = [];
    began = performance.now();
  }
  const instance = catalogue.chosen()?.name;
  if (!instance) return;
  for (const { file, path } of files) {
    if (PICTURE.test(path))
      jobs.push({
        file,
        path,
        instance,
        fields: fieldsOf(path),
        state: "waiting",
        problem: null,
        category: null,
      });
  }
  tell();
  work();
}

/** Try the failed ones again. */
export function again() {
  began = performance.now();
  for (const job of jobs)
    if (job.state === "failed") Object.assign(job, { state: "waiting", problem: null });
  work();
}

/** Leave out what has not begun. */
export function cancel() {
  jobs = jobs.filter((job) => job.state !== "waiting");
  tell();
}

/** The product and name of a picture, from where it lies: bags/red/front.jpg is product "red". */
export function fieldsOf(path) {
  const parts = path.split("/");
  const file = parts.at(-1);
  const stem = file.replace(/\.[^.]+$/, "");
  const folder = parts.length > 1 ? parts.at(-2) : "";
  const byFolder = wishes.product === "folder" && parts.length > 2;
  const fields = {
    product_id: byFolder ? folder : stem,
    pic_name: file,
    if_exists: wishes.standing,
  };
  if (wishes.category !== "" && catalogue.chosen()?.service === "product")
    fields.category_id = wishes.category;
  if (wishes.str_attr) fields.str_attr = wishes.str_attr;
  if (wishes.int_attr.trim()) fields.int_attr = wishes.int_attr.trim();
  return fields;
}

function work() {
  while (running < AT_ONCE) {
    const job = jobs.find((one) => one.state === "waiting");
    if (!job) return;
    running += 1;
    job.state = "running";
    carryOut(job).finally(() => {
      running -= 1;
      tell();
      work();
      if (!running) catalogue.refresh().catch(() => {});
    });
  }
}

async function carryOut(job) {
  tell();
  try {
    const { blob } = await prepare(job.file, job.path).then(release);
    const added = await api.addPicture(job.instance, job.fields, blob);
    Object.assign(job, {
      state: "done",
      category: catalogue.chosen()?.service === "product" ? added.picture.category_id : null,
    });
  } catch (problem) {
    Object.assign(job, { state: "failed", problem });
  }
}

function release(picture) {
  if (picture.url) URL.revokeObjectURL(picture.url);
  return picture;
}

function tell() {
  for (const listener of [...listeners]) listener();
}
