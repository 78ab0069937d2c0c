// Forwards and back through the entries of the example, or one after the other by itself.
import { button, change, count, h, labelled, rangeInput, Readout, small, tableHead, type Part } from "../frame";
import { multiplyAddsAfter } from "../frame/maths/cost";
import { example, exampleCost, FORMULA, ORDERS, type ReorderModel } from "./state";

const PACE = 500; // milliseconds an entry

export function player(model: ReorderModel, signal: AbortSignal): Part {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const one = (text: string, label: string, act: () => void) => button(signal, act, { "aria-label": label }, text);
  const go = (to: number) => change(model, "at", Math.max(0, Math.min(to, example(model).total)));
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  };
  const jump = (to: number) => {
    stop();
    go(to);
  };
  const tick = () => {
    const { at, total } = example(model);
    if (at >= total || calm.matches || model.get("view") !== "steps") stop();
    else go(at + 1);
  };
  const start = () => {
    if (example(model).at === example(model).total) go(0);
    timer = setInterval(tick, PACE);
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
  };
  const play = one("Play", "Play, one entry after the other", () => (timer ? stop() : start()));
  const buttons = [
    one("Start", "Start: back to the first entry", () => jump(0)), one("Back", "Back one entry", () => jump(example(model).at - 1)), play,
    one("Forward", "Forward one entry", () => jump(example(model).at + 1)), one("End", "End: all entries", () => jump(example(model).total)),
  ];
  const slider = rangeInput(signal, jump);
  const at = new Readout("at", String);
  const total = new Readout("entries", String);
  return {
    node: h("div", { class: "fe-player" },
      labelled(["entries computed"], h("span", {}, at.node, " of ", total.node), slider.input),
      h("div", { class: "fe-play", role: "group", "aria-label": "step through" }, ...buttons)),
    update() {
      const now = example(model);
      slider.show(now.at, now.total, `${now.at} of ${now.total}`);
      at.set(now.at);
      total.set(now.total);
      play.hidden = calm.matches;
      buttons[0].disabled = buttons[1].disabled = now.at === 0;
      buttons[3].disabled = buttons[4].disabled = now.at === now.total;
    },
    remove: () => clearInterval(timer),
  };
}

/** The running count, against what both orders need in all. */
export function tally(model: ReorderModel): Part {
  const done = new Readout("done", count);
  const totals = ORDERS.map((order) => ({ order, now: h("td", {}), total: new Readout(`total_${order}`, count), parts: small() }));
  const rows = totals.map(({ order, now, total, parts }) => h("tr", {}, h("th", { scope: "row" }, FORMULA[order], parts),
    now, h("td", { class: "fe-bar" }, total.node)));
  const node = h("table", { class: "fe-table fe-tally" },
    tableHead("multiplications", "so far", "in all"), h("tbody", {}, ...rows));
  return {
    node,
    update() {
      const { q, v, at, order: chosen } = example(model);
      const [n, d, e] = [q.length, q[0].length, v[0].length];
      done.set(multiplyAddsAfter(at, n, d, chosen, e));
      const costs = ORDERS.map((order) => exampleCost(model, order));
      const most = Math.max(...costs.map((cost) => cost.multiplyAdds));
      totals.forEach(({ order, now, total, parts }, i) => {
        total.set(costs[i].multiplyAdds);
        total.node.parentElement!.style.setProperty("--w", String(costs[i].multiplyAdds / most));
        parts.textContent = `${costs[i].first} + ${costs[i].second}`;
        rows[i].dataset.chosen = String(order === chosen);
        if (order === chosen) now.replaceChildren(done.node);
        else now.textContent = "–";
      });
    },
  };
}
