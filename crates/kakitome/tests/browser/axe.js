// Runs axe-core, which was put into the page before, over the page unfolded: every rule of WCAG 2.0, 2.1 and 2.2 at
// levels A and AA, and axe's best practices. In the dark, where only colours differ, only those of colours. What axe
// cannot decide by itself is reported too.
const [scheme, done] = arguments;
for (const details of document.querySelectorAll("details")) details.open = true;
const told = (results) => results.flatMap(({ id, help, nodes }) =>
  nodes.map(({ target, any, all, none }) =>
    `${id}: ${help}: ${target.join(" ")}: ${[...any, ...all, ...none].map(({ message }) => message).join("; ")}`));
axe.run(document, {
  runOnly: scheme === "dark"
    ? { type: "rule", values: ["color-contrast", "link-in-text-block"] }
    : ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
  rules: scheme === "dark" ? {} : { "target-size": { enabled: true } },
  resultTypes: ["violations", "incomplete"],
}).then(
  ({ violations, incomplete, passes }) =>
    done({ violations: told(violations), undecided: told(incomplete), passes: passes.map(({ id }) => id) }),
  (error) => done({ violations: [String(error)], undecided: [], passes: [] }),
);
