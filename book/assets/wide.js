// A formula, table, figure or line of code that is wider than the page scrolls in its own box. Such a box can be reached
// by keyboard, and data-wide says where it stands: there wide.css fades the edge behind which there is more.
(() => {
  const BOXES = ".math, .pst-scrollable-table-container, pre, .cell_output .output, .fe-plot";

  function mark(box) {
    const hidden = box.scrollWidth - box.clientWidth;
    if (box.clientWidth === 0) return; // folded
    if (hidden < 2) {
      if (box.dataset.wide) for (const name of ["data-wide", "tabindex", "role", "aria-label"]) box.removeAttribute(name);
      return;
    }
    box.dataset.wide = box.scrollLeft < 2 ? "start" : box.scrollLeft > hidden - 2 ? "end" : "middle";
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "wide, scrolls sideways");
  }

  addEventListener("DOMContentLoaded", () => {
    const article = document.querySelector("article");
    if (!article) return;
    const markAll = () => {
      for (const box of article.querySelectorAll(BOXES)) if (!box.closest(".fe-lab")) mark(box);
    };
    new ResizeObserver(markAll).observe(article); // also when a fold is opened
    document.fonts.ready.then(markAll);
    article.addEventListener("scroll", ({ target }) => target.dataset.wide && mark(target), { capture: true, passive: true });
  });
})();
