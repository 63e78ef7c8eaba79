// Looks at the page as it stands, everything unfolded, and reports what the test asserts. Run by WebDriver, never by
// the page: the page has no script. With the argument "unfolded" it leaves everything open, for a picture.
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

const before = overflow();
const folded = [...document.querySelectorAll("details:not([open])")];
for (const details of folded) details.open = true;
const unfolded = overflow();
const cut = outside();
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
