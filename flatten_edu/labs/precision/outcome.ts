// What came out: one verdict, and where the trouble began.
import { h, Readout, scientific, share, significant, spokenLine } from "../frame";
import { LIMITS, type Format } from "../frame/maths/rounding";
import type { Result } from "./state";
import { spoken as SPOKEN } from "./words.json";

const rough = (value: number) => `${significant(100 * value, 2)} %`;

export function outcome() {
  const verdict = h("p", { class: "fe-outcome" });
  const reason = h("p", { class: "fe-reason" });
  const error = new Readout("error", rough);
  const aloud = spokenLine();
  return {
    node: h("div", { class: "fe-result" }, verdict, reason, aloud.node),
    show(result: Result, format: Format): void {
      const { nan, overflowed, flushed } = result.tensors.out;
      error.set(result.error);
      const kind = nan + overflowed > 0 ? "broken" : flushed > 0.5 ? "wrong" : "held";
      verdict.dataset.kind = kind;
      verdict.replaceChildren(...says(kind, result, error));
      reason.textContent = why(kind, result, format);
      aloud.say(`${verdict.textContent} ${reason.textContent}`);
    },
    remove: aloud.stop,
  };
}

function says(kind: string, { tensors: { out } }: Result, error: Readout): (Node | string)[] {
  const lost = [["NaN", out.nan], ["Inf", out.overflowed], ["zero that should not be", out.flushed]] as const;
  const list = lost.filter(([, value]) => value > 0).map(([word, value]) => `${share(value)} ${word}`).join(", ");
  if (kind === "broken") return [h("b", {}, "✕ "), out.nan === 1 ? "All of the output is NaN." : `The output: ${list}.`, h("span", { hidden: true }, error.node)];
  const mark = h("b", {}, kind === "wrong" ? "▽ " : "✓ ");
  const finite = kind === "wrong" ? `No NaN, and still wrong: ${list}.` : "The output is finite.";
  return [mark, `${finite} Largest error: `, error.node, " of the largest entry."];
}

function entries(value: number): string {
  if (value === 1) return "all entries";
  return value >= 0.001 ? `${share(value)} of the entries` : `one entry ${share(value).slice(2)}`;
}

/** The first tensor, in the order of the code, that holds Inf or NaN; or what the largest one leaves free. */
function why(kind: string, { tensors }: Result, format: Format): string {
  const broken = Object.entries(tensors).find(([, tensor]) => tensor.overflowed + tensor.nan > 0);
  if (!broken) {
    const [name, { largest }] = Object.entries(tensors).reduce((a, b) => (b[1].largest > a[1].largest ? b : a));
    return `Largest of all: ${scientific(largest)}, in ${spoken(name)}. ${format} reaches to ${scientific(LIMITS[format].largest)}.`;
  }
  const [name, { overflowed, nan }] = broken;
  const rest = kind === "held" ? "It did not reach the output." : "What follows inherits it: Inf ÷ Inf and 0 × Inf are NaN, x ÷ Inf is 0.";
  return `It begins in ${spoken(name)}: ${overflowed ? "Inf" : "NaN"} in ${entries(overflowed || nan)}. ${rest}`;
}

function spoken(tensor: string): string {
  const name = /_([qkv])$/.exec(tensor)?.[1];
  const step = name && !(tensor in SPOKEN) ? tensor.slice(0, -2) : tensor;
  return SPOKEN[step as keyof typeof SPOKEN].replace("{x}", name ?? "");
}
