/** The product categories, as docs/alibaba.md lists them. */

import { inUse } from "./i18n.js";

export const OTHER = 88888888;

const NAMES = new Map([
  [0, ["Tops", "上衣"]],
  [1, ["Dress", "裙装"]],
  [2, ["Bottoms", "下装"]],
  [3, ["Bag", "包"]],
  [4, ["Shoes", "鞋"]],
  [5, ["Accessories", "配饰"]],
  [6, ["Snack", "零食"]],
  [7, ["Makeup", "美妆"]],
  [8, ["Bottle", "瓶饮"]],
  [9, ["Furniture", "家具"]],
  [20, ["Toy", "玩具"]],
  [21, ["Underwear", "内衣"]],
  [22, ["Digital device", "数码硬件"]],
  [OTHER, ["Other", "其他"]],
]);

/** Every id, in the vendor's order. */
export const ids = () => [...NAMES.keys()];

/** A category's name in the reader's language. */
export function nameOf(id) {
  const names = NAMES.get(id);
  return names ? names[inUse() === "zh" ? 1 : 0] : String(id);
}
