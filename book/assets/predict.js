// Predictions: an answer opens once the reader has said something, or asks for it. What was said stands beside it.
(() => {
  const NS = "http://www.w3.org/2000/svg";
  const LEFT = 52, RIGHT = 322, TOP = 10, BOTTOM = 195; // of the pad's plot

  /** Axes and the reader's line; returns what the form needs of them. */
  function pad(form) {
    const svg = form.querySelector(".fe-pad");
    const sliders = [...form.querySelectorAll("input[type=range]")];
    const { what, unit, highest, points, start, curve } = JSON.parse(form.querySelector("script").textContent);
    const span = Math.log(points.at(-1) / points[0]);
    const x = (p) => LEFT + (RIGHT - LEFT) * Math.log(p / points[0]) / span;
    const y = (value) => BOTTOM - (BOTTOM - TOP) * value / highest;
    const values = () => [start, ...sliders.map((slider) => slider.valueAsNumber)];

    function add(name, attributes, text = "") {
      const element = document.createElementNS(NS, name);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      element.textContent = text;
      return svg.appendChild(element);
    }
    const path = (pairs) => `M${pairs.map(([p, value]) => `${x(p).toFixed(1)},${y(value).toFixed(1)}`).join("L")}`;

    for (const p of points) {
      add("line", { x1: x(p), x2: x(p), y1: TOP, y2: BOTTOM, class: "fe-grid" });
      add("text", { x: x(p), y: BOTTOM + 16, "text-anchor": "middle" }, p);
    }
    for (let value = 0; value <= highest; value += highest / 4) {
      add("line", { x1: LEFT, x2: RIGHT, y1: y(value), y2: y(value), class: "fe-grid" });
      add("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, `${value}${unit}`);
    }
    add("text", { x: (LEFT + RIGHT) / 2, y: BOTTOM + 32, "text-anchor": "middle" }, "p");
    const yours = add("path", { class: "fe-yours" });
    const dots = points.map(() => add("circle", { r: 5, class: "fe-yours-dot" }));

    function draw() {
      const now = values();
      yours.setAttribute("d", path(points.map((p, i) => [p, now[i]])));
      dots.forEach((dot, i) => {
        dot.setAttribute("cx", x(points[i]));
        dot.setAttribute("cy", y(now[i]));
      });
      for (const slider of sliders) slider.nextElementSibling.textContent = `${slider.value}${unit}`;
    }
    function follow(event) {
      if (event.type === "pointermove" && !event.buttons) return;
      const box = svg.getBoundingClientRect();
      const at = { x: (event.clientX - box.x) * 340 / box.width, y: (event.clientY - box.y) * 230 / box.height };
      const distances = points.slice(1).map((p) => Math.abs(x(p) - at.x));
      const slider = sliders[distances.indexOf(Math.min(...distances))];
      if (slider.disabled) return;
      slider.value = highest * (BOTTOM - at.y) / (BOTTOM - TOP);
      draw();
    }
    form.addEventListener("input", draw);
    svg.addEventListener("pointerdown", follow);
    svg.addEventListener("pointermove", follow);
    draw();

    return {
      said: () => points.map((p, i) => `${Math.round(values()[i])}${unit} at p = ${p}`).join(", "),
      reveal() {
        add("path", { class: "fe-true", d: path(curve) });
        svg.setAttribute("aria-label", `${what} against p: yours, and as it is`);
        form.querySelector(".fe-hint").innerHTML =
          'Dashed: yours. <span class="fe-true-key">Solid: as it is.</span>';
      },
    };
  }

  const said = {
    choice: (form) => form.querySelector("input:checked").nextElementSibling.innerHTML,
    number: (form) => `${form.querySelector("input").value} ${form.querySelector("label > span").innerHTML}`,
  };

  for (const form of document.querySelectorAll(".fe-predict")) {
    const answer = document.getElementById(form.dataset.answer);
    const beside = answer.querySelector(".fe-said");
    const drawn = form.dataset.kind === "curve" ? pad(form) : null;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      beside.innerHTML = `<strong>You said:</strong> ${drawn ? drawn.said() : said[form.dataset.kind](form)}`;
      beside.hidden = false;
      answer.open = true;
      for (const field of form.elements) field.disabled = true;
      drawn?.reveal();
      beside.focus({ preventScroll: true }); // a screen reader then reads on from here
    });
  }

  /** A link to a place in a folded answer, or to a view of a lab there, opens the fold. */
  function unfold() {
    const fragment = decodeURIComponent(location.hash.slice(1));
    const lab = fragment.match(/^([a-z]+)(-\d+)?\./)?.[1];
    const place = document.getElementById(fragment);
    const places = lab ? [...document.querySelectorAll(`.fe-mount[data-lab=${lab}]`)] : place ? [place] : [];
    for (const one of places) {
      const fold = one.closest("details.fe-answer:not([open])");
      if (!fold) continue;
      fold.open = true;
      if (one === place) one.scrollIntoView();
    }
  }
  unfold();
  addEventListener("hashchange", unfold);
})();
