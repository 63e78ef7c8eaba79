// What is heard first. Text in the other language must say so; names in an answer are nobody's language, and stand
// between isolates (FSI, PDI), in bdi, or in the tables.
const page = document.documentElement;
const kana = /[\u3041-\u30fa]/;
const foreign = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const text = node.data.replace(/\u2068[^\u2069]*\u2069/g, "").trim();
  const lang = node.parentElement.closest("[lang]").lang;
  if (node.parentElement.closest("bdi, table, pre, .mail, .frame")) continue;
  if (kana.test(text) && lang !== "ja") foreign.push(text.slice(0, 40));
  if (lang === "ja" && text.split(/\s+/).length > 7 && !/[\u3041-\u9fff]/.test(text)) foreign.push(text.slice(0, 40));
}
return {
  title: document.title,
  headline: document.querySelector("h1").textContent,
  lang: page.lang,
  focus: document.activeElement.localName,
  foreign,
};
