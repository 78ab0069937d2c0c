// Paper is light, whatever the screen is, and nothing on it is folded.
(() => {
  const root = document.documentElement;
  let before;
  let opened = [];
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    opened = [...document.querySelectorAll("details.fe-answer:not([open])")];
    for (const fold of opened) fold.open = true;
  });
  addEventListener("afterprint", () => {
    root.dataset.theme = before;
    for (const fold of opened) fold.open = false;
  });
})();
