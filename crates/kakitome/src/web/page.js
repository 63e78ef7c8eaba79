// The page works without this file. With it a mail can be dropped anywhere on the page, an upload says how far it is, and
// a file with many mails is chosen once instead of twice. It sends what the form would send, to where the form would send
// it, and writes nothing down: no cookie, no storage. All words come with the page, in its language.
"use strict";

(() => {
  // the pages of this tab, for the reader's way back
  const views = [document.body];
  let sending = false;

  const formOf = (root) => root.querySelector("form[data-max]");
  const say = (form, text) => { form.querySelector("[role=status]").textContent = text; };

  const show = (next, address, file) => {
    views.splice((history.state?.at ?? 0) + 1);
    // the headline takes the focus below; by itself it does so in a page that is loaded, not in one that is exchanged
    for (const one of next.querySelectorAll("[autofocus]")) one.removeAttribute("autofocus");
    views.push(document.adoptNode(next.body));
    views.at(-1).dataset.title = next.title;
    history.pushState({ at: views.length - 1 }, "", address);
    turnTo(views.at(-1), next.title);
    const form = formOf(document);
    if (form && file) give(form, file);
  };

  const turnTo = (body, title) => {
    document.body.replaceWith(body);
    document.title = title;
    prepare();
    scrollTo(0, 0);
    const headline = document.querySelector("h1");
    headline.tabIndex = -1;
    headline.focus();
  };

  // what only a script can do is offered where one runs
  const prepare = () => {
    for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  };

  // the file that was sent already, in the form that asks for it again
  const give = (form, file) => {
    const files = new DataTransfer();
    files.items.add(file);
    form.querySelector("input[type=file]").files = files.files;
    const again = form.querySelector(".again-file");
    if (again) again.hidden = true;
  };

  const send = (form) => {
    const file = form.querySelector("input[type=file]").files[0];
    const words = form.dataset;
    if (file && file.size === 0) return say(form, words.empty);
    if (file && file.size > Number(words.max)) return say(form, words.large);
    const [progress, button] = [form.querySelector("progress"), form.querySelector("[type=submit]")];
    const request = new XMLHttpRequest();
    const end = (text) => {
      sending = false;
      progress.hidden = true;
      button.disabled = false;
      say(form, text);
    };
    request.open("POST", form.action);
    request.responseType = "document";
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress.value = event.loaded / event.total;
    };
    request.upload.onload = () => {
      progress.removeAttribute("value");
      say(form, words.checking);
    };
    request.onerror = () => end(words.failed);
    request.onload = () => {
      const next = request.response;
      if (!next?.querySelector("h1")) return end(words.failed);
      end("");
      show(next, request.responseURL, file);
    };
    sending = true;
    progress.hidden = false;
    button.disabled = true;
    say(form, words.sending);
    request.send(new FormData(form));
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.max) return;
    const nothing = !form.querySelector("input[type=file]").files.length && !form.elements.source?.value;
    // the server tells that nothing was chosen
    if (nothing) return;
    event.preventDefault();
    if (!sending) send(form);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
  });

  addEventListener("popstate", (event) => {
    const view = views[event.state?.at ?? 0];
    if (!view || sending) return location.reload();
    turnTo(view, view.dataset.title);
  });

  const holdsFile = (event) => event.dataTransfer?.types.includes("Files") && formOf(document);
  const mark = (on) => document.documentElement.classList.toggle("dropping", on);
  document.addEventListener("dragover", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    mark(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark(false);
  });
  document.addEventListener("drop", (event) => {
    mark(false);
    const file = holdsFile(event) && event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    const form = formOf(document);
    if (sending) return;
    give(form, file);
    form.requestSubmit();
  });

  document.body.dataset.title = document.title;
  history.replaceState({ at: 0 }, "");
  prepare();
})();
