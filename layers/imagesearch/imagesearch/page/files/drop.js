/** Take pictures and folders that are dropped, pasted or picked. */

/** Have `take(files)` called for what is dropped on an element; it is marked meanwhile. */
export function dropOn(element, take) {
  const mark = (event) => {
    event.preventDefault();
    element.dataset.over = "";
  };
  element.addEventListener("dragover", mark);
  element.addEventListener("dragleave", () => delete element.dataset.over);
  element.addEventListener("drop", async (event) => {
    event.preventDefault();
    delete element.dataset.over;
    const files = await dropped(event.dataTransfer);
    if (files.length) take(files);
  });
}

/** The first picture on the clipboard, if there is one. */
export function pasted(event) {
  return [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
}

/** Every file that was dropped, folders unpacked, as `{ file, path }`. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, path: file.name }));
  return (await Promise.all(entries.map((entry) => unpacked(entry)))).flat();
}

async function unpacked(entry) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map((inside) => unpacked(inside)))).flat();
}
