// Looks at the page as it stands, everything unfolded, and reports what the test asserts. Run by WebDriver, never by
// the page: the page has no script. With the argument "unfolded" it leaves everything open, for a picture.
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
const faint = [];
let texts = 0;
const weigh = (what, style, ground) => {
  texts += 1;
  const ratio = contrast(over(colour(style.color), ground), ground);
  if (ratio < 4.5) faint.push(`${ratio.toFixed(2)}: ${what.trim().slice(0, 40)}`);
};
const read = () => {
  walk((node) => weigh(node.data, getComputedStyle(node.parentElement), background(node.parentElement)));
  for (const input of document.querySelectorAll("input[type=file]")) {
    weigh("the name of the file", getComputedStyle(input), background(input));
    const button = getComputedStyle(input, "::file-selector-button");
    weigh("the button of the file input", button, over(colour(button.backgroundColor), background(input)));
  }
};

const page = document.documentElement;
// what a scrollbar takes is no room
const overflow = () => page.scrollWidth - page.clientWidth;
const before = overflow();
const folded = [...document.querySelectorAll("details:not([open])")];
for (const details of folded) details.open = true;
const unfolded = overflow();
// what a box cuts off makes no page wider; only tables and code may, which scroll by themselves
const cut = [];
walk((node) => {
  if (node.parentElement.closest(".scroll, pre, textarea")) return;
  const range = document.createRange();
  range.selectNodeContents(node);
  const outside = (box) => box.left < 0 || box.right > page.clientWidth;
  if ([...range.getClientRects()].some(outside)) cut.push(node.data.trim().slice(0, 40));
});
const answer = document.querySelector(".answer");
if (answer) {
  // every tone, whichever this answer has
  const own = answer.className;
  for (const tone of ["green", "blue", "amber", "grey", "grey-blue", "red"]) {
    answer.className = `answer tone-${tone}`;
    read();
  }
  answer.className = own;
} else {
  read();
}
if (arguments[0] !== "unfolded") for (const details of folded) details.open = false;

return {
  lang: page.lang,
  h1: [...document.querySelectorAll("h1")].map((h1) => h1.textContent),
  window: innerWidth,
  overflow: { before, unfolded },
  cut,
  scripts: document.scripts.length,
  nameless: [...document.querySelectorAll("input, textarea, button, a, summary")]
    .filter((one) => !(one.labels?.length || one.textContent.trim())).map((one) => one.outerHTML),
  texts,
  faint,
};
