/** Light or dark: as the system says, until somebody chooses. */

const dark = matchMedia("(prefers-color-scheme: dark)");

/** What is shown now: "light" or "dark". */
export const inUse = () => localStorage.getItem("theme") || (dark.matches ? "dark" : "light");

/** Call `listener` when the system turns. */
export const onchange = (listener) => {
  dark.onchange = listener;
};

/** Show what was chosen earlier. */
export function apply() {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
}

/** Turn from one to the other, and remember it. */
export function turn() {
  localStorage.setItem("theme", inUse() === "dark" ? "light" : "dark");
  apply();
}
