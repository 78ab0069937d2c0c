// In the page's head: what would else change, and move the text, after the first paint.
(() => {
  const { dataset } = document.documentElement;
  if (dataset.theme === "auto") dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.fonts.load('1em "Book Math"');
})();
