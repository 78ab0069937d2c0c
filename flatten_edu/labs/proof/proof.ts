// The five steps of the proof, with the numbers that they have for the pair at hand.
import { fixed, h, Readout, rich, type Child } from "../frame/dom";
import { change, type View } from "../frame/model";
import { figures, STAGES, type Figures, type VerdictCache, type ProofModel } from "./state";
import type { Verdict } from "../frame/maths/proposition";

const four = fixed(4);
const u = () => [h("i", {}, "u"), h("sub", {}, h("i", {}, "p"))];
const v = () => [h("i", {}, "v"), h("sub", {}, h("i", {}, "p"))];
const f = (name: string) => [h("i", {}, "f"), h("sub", {}, h("i", {}, "p")), "(", h("i", {}, name), ")"];
const i = (text: string) => h("i", {}, text);

interface Stage {
  title: string;
  lines: Child[][];
  set(now: Figures, verdict: Verdict): void;
}

export function proof(model: ProofModel, signal: AbortSignal, verdicts: VerdictCache): View & { node: HTMLElement } {
  const stages = [norms(), product(), largest(), limits(), comparison()];
  const items = stages.map(({ title, lines }, at) => {
    const button = h("button", { type: "button", class: "fe-stage" }, h("span", { class: "fe-step-number" }, String(at + 1)), ...rich(title));
    button.addEventListener("click", () => change(model, "stage", at + 1), { signal });
    const body = h("div", { class: "fe-stage-body" }, ...lines.map((line) => h("p", {}, ...line)));
    return { button, body, node: h("li", {}, button, body) };
  });
  const walk = (text: string, label: string, by: number) => {
    const button = h("button", { type: "button", "aria-label": label }, text);
    button.addEventListener("click", () => change(model, "stage", Math.min(Math.max(model.get("stage") + by, 1), STAGES)), { signal });
    return button;
  };
  const [back, next] = [walk("Back", "Back one step of the proof", -1), walk("Next", "Next step of the proof", 1)];
  return {
    node: h("div", { class: "fe-proof" },
      h("div", { class: "fe-proof-head" }, h("p", {}, h("b", {}, "The proof")), h("div", {}, back, next)),
      h("ol", {}, ...items.map(({ node }) => node))),
    update() {
      const [now, verdict, open] = [figures(model), verdicts.of(model), model.get("stage")];
      stages.forEach((stage, at) => {
        stage.set(now, verdict);
        items[at].button.setAttribute("aria-expanded", String(at + 1 === open));
        items[at].body.hidden = at + 1 !== open;
      });
      back.disabled = open === 1;
      next.disabled = open === STAGES;
    },
  };
}

function norms(): Stage {
  const [x, fx, y, fy] = ["norm_x", "norm_fx", "norm_y", "norm_fy"].map((name) => new Readout(name, four));
  return {
    title: "The length stays",
    lines: [
      ["‖", ...f("x"), "‖ = ", fx.node, " = ‖", i("x"), "‖ = ", x.node, ", and ‖", ...f("y"), "‖ = ", fy.node, " = ‖", i("y"), "‖ = ", y.node, "."],
      ["The fraction in ", i("f"), h("sub", {}, i("p")), " sees to that. Only the directions can change."],
    ],
    set: ({ norms }) => ([[x, norms.x], [fx, norms.fx], [y, norms.y], [fy, norms.fy]] as const).forEach(([out, value]) => out.set(value)),
  };
}

function product(): Stage {
  const [x, y, cosine, inner, first] = ["product_x", "product_y", "product_cosine", "product_inner", "product_first"].map((name) => new Readout(name, four));
  return {
    title: "So only the cosine counts",
    lines: [
      ["⟨", ...f("x"), ", ", ...f("y"), "⟩ = ‖", i("x"), "‖ ‖", i("y"), "‖ ⟨", ...u(), ", ", ...v(), "⟩ = ", x.node, " · ", y.node, " · ", cosine.node, " = ", inner.node, ","],
      ["where ", ...u(), " and ", ...v(), " are the unit vectors. At ", i("p"), " = 1 the last factor was ", first.node, "; the others never change."],
    ],
    set({ norms, cosine: { first: before, now }, inner: { now: value } }) {
      ([[x, norms.x], [y, norms.y], [cosine, now], [inner, value], [first, before]] as const).forEach(([out, figure]) => out.set(figure));
    },
  };
}

function largest(): Stage {
  const [x, y] = [h("span", {}), h("span", {})];
  const list = (powers: number[]) => `(${powers.map((power) => (Number.isFinite(power) ? String(Number(power.toPrecision(3))) : "–")).join(", ")})`;
  return {
    title: "Divide by the largest entry",
    lines: [
      [...u(), " is ", i("x"), h("sup", {}, i("p")), " over its length, so a factor of ", i("x"), " cancels: put 1 in the place of the largest entry, less than 1 in all others."],
      ["(", i("x"), " / ", i("x"), h("sub", {}, i("m")), ")", h("sup", {}, i("p")), " = ", x, ", and for ", i("y"), ": ", y, "."],
    ],
    set({ powers }) {
      x.textContent = list(powers.x);
      y.textContent = list(powers.y);
    },
  };
}

function limits(): Stage {
  const [x, y] = ["to_axis_x", "to_axis_y"].map((name) => new Readout(name, four));
  const where = h("span", {});
  return {
    title: "Let *p* grow without end",
    lines: [
      ["What is below 1 goes to 0, the 1 stays: ", ...u(), " tends to the basis vector ", i("e"), h("sub", {}, i("m")), ", ", ...v(), " to ", i("e"), h("sub", {}, i("n")), "."],
      ["Still to go: ‖", ...u(), " − ", i("e"), h("sub", {}, i("m")), "‖ = ", x.node, ", ‖", ...v(), " − ", i("e"), h("sub", {}, i("n")), "‖ = ", y.node, ". ", where],
    ],
    set({ toAxis, largest: at }) {
      x.set(toAxis.x);
      y.set(toAxis.y);
      where.textContent = at.x < 0 || at.y < 0 ? "Without a single largest entry there is no such axis." : `Here m = ${at.x + 1} and n = ${at.y + 1}.`;
    },
  };
}

function comparison(): Stage {
  const first = new Readout("compare_first", four);
  const limit = new Readout("limit", String);
  const sign = h("span", {});
  const says = h("span", {});
  return {
    title: "Compare the limit with the start",
    lines: [["⟨", i("e"), h("sub", {}, i("m")), ", ", i("e"), h("sub", {}, i("n")), "⟩ = ", limit.node, sign, first.node, ". ", says]],
    set({ cosine }, verdict) {
      first.set(cosine.first);
      limit.set(verdict.limit ?? NaN);
      sign.textContent = SIGN[verdict.case];
      says.textContent = CONCLUSION[verdict.case];
    },
  };
}

const SIGN: Record<Verdict["case"], string> = {
  same: " is above the cosine at p = 1, ", different: " is below the cosine at p = 1, ",
  parallel: " is what the cosine was at p = 1, ", orthogonal: " is what the cosine was at p = 1, ", tie: " against the cosine at p = 1, ",
};

const CONCLUSION: Record<Verdict["case"], string> = {
  same: "A curve that ends above its start is above it somewhere: there is such a p. Nothing is said about the way there.",
  different: "A curve that ends below its start is below it somewhere: there is such a p. Nothing is said about the way there.",
  parallel: "x and y point the same way and always will, so no strict inequality can hold: that case must be left out.",
  orthogonal: "x and y are at right angles and always will be, so no strict inequality can hold: that case must be left out.",
  tie: "The proposition asks for a single largest entry in each vector; of this pair it says nothing.",
};
