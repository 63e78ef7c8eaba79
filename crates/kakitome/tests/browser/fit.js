// Does the page still fit, unfolded, when its reader changes it? "narrow" is the window as it is, "large" is text of
// twice the size (WCAG 1.4.4), "spaced" is text with the spacing of WCAG 1.4.12. Nothing may need a second direction to
// scroll in (1.4.10), and nothing may be cut off or lie upon something else.
const how = arguments[0];
for (const details of document.querySelectorAll("details")) details.open = true;
const sheet = new CSSStyleSheet();
sheet.replaceSync({
  narrow: "",
  large: ":root { font-size: 200% !important; }",
  spaced: "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; } p { margin-bottom: 2em !important; }",
}[how]);
const sheets = document.adoptedStyleSheets;
document.adoptedStyleSheets = [...sheets, sheet];
const hidden = [...document.querySelectorAll("body *")].filter((one) => {
  const { overflowX, overflowY } = getComputedStyle(one);
  const hides = [overflowX, overflowY].some((way) => way === "hidden" || way === "clip");
  return hides && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1);
}).map((one) => one.outerHTML.slice(0, 60));
const label = document.querySelector(".drop label");
const button = document.querySelector(".drop input");
// the words of the drop zone stand in front of its file input, whose own line begins below its padding
const upon = label && label.getBoundingClientRect().bottom
  > button.getBoundingClientRect().top + parseFloat(getComputedStyle(button).paddingTop);
const seen = { overflow: overflow(), cut: outside(), hidden, upon: Boolean(upon) };
document.adoptedStyleSheets = sheets;
return seen;
