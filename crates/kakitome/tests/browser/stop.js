// Where the focus is, and whether its reader sees it: a line around it that differs from what is behind it by 3 to 1
// (WCAG 2.4.7, 1.4.11), on the screen and under nothing (2.4.11).
const stops = [...document.querySelectorAll("a[href], button, input, textarea, select, summary, [tabindex='0']")]
  .filter((one) => one.checkVisibility());
const at = document.activeElement;
const style = getComputedStyle(at);
const line = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
  && contrast(over(colour(style.outlineColor), background(at.parentElement)), background(at.parentElement)) >= 3;
// of what is broken into lines, the first
const [box] = at.getClientRects();
// a region may be taller than the window
const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
const top = document.elementFromPoint(middle(box.left, box.right, innerWidth), middle(box.top, box.bottom, innerHeight));
const labels = [...at.labels ?? []];
return {
  stops: stops.length,
  stop: stops.indexOf(at),
  told: at.outerHTML.slice(0, 80),
  line,
  shown: [at, ...labels].some((one) => one.contains(top)),
};
