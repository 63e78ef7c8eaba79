// What the scripts beside this one measure with; it stands before each of them.
const luminance = ([r, g, b]) => {
  const linear = [r, g, b].map((value) => value / 255).map((value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
// WCAG 2.2, "contrast ratio"
const contrast = (one, other) => {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};
const colour = (text) => {
  const numbers = /^rgba?\(([^)]*)\)$/.exec(text);
  if (!numbers) throw new Error(`a colour that this script does not know: ${text}`);
  const [r, g, b, a = 1] = numbers[1].split(/[ ,/]+/).map(Number);
  return [r, g, b, a];
};
const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
const canvas = () => matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
const background = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const style = getComputedStyle(at);
    if (style.backgroundImage !== "none" || style.opacity !== "1") throw new Error("an image or opacity: teach this script");
    const layer = colour(style.backgroundColor);
    layers.push(layer);
    if (layer[3] === 1) break;
  }
  return layers.reverse().reduce((below, layer) => over(layer, below), canvas());
};
const walk = (each) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) if (node.data.trim()) each(node);
};

const page = document.documentElement;
// what a scrollbar takes is no room
const overflow = () => page.scrollWidth - page.clientWidth;
// what a box cuts off makes no page wider; only tables and code may, which scroll by themselves
const outside = () => {
  const cut = [];
  walk((node) => {
    if (node.parentElement.closest(".scroll, pre, textarea")) return;
    const range = document.createRange();
    range.selectNodeContents(node);
    const leaves = (box) => box.left < 0 || box.right > page.clientWidth;
    if ([...range.getClientRects()].some(leaves)) cut.push(node.data.trim().slice(0, 40));
  });
  return cut;
};
