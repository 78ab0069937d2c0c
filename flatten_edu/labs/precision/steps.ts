// The rows of the lab's table: each step of the module, in the official code's order, and the tensors that it forms.

export interface StepRow {
  /** In words that *italics* may stand in; a function where p matters. */
  title: string;
  /** The tensors: the label in front of each, and its name in the result. */
  tensors: readonly (readonly [label: string, name: string])[];
  /** A step that only a fix makes. */
  fix?: true;
}

const both = (step: string) => [["q", `${step}_q`], ["k", `${step}_k`]] as const;

export const ROWS: readonly StepRow[] = [
  { title: "as they come", tensors: [["q", "input_q"], ["k", "input_k"], ["v", "input_v"]] },
  { title: "ReLU(*x*) + 10⁻⁶", tensors: both("relu") },
  { title: "÷ scale", tensors: both("scaled") },
  { title: "norm ‖*x*‖", tensors: both("norm") },
  { title: "÷ row maximum", tensors: both("unit"), fix: true },
  { title: "power *x*ᵖ", tensors: both("power") },
  { title: "norm ‖*x*ᵖ‖", tensors: both("power_norm") },
  { title: "*x*ᵖ ‖*x*‖ ÷ ‖*x*ᵖ‖", tensors: both("phi") },
  { title: "÷ √*N*", tensors: [["k", "small_k"], ["v", "small_v"]], fix: true },
  { title: "sum of keys, Σ*k*", tensors: [["Σ", "key_sum"]] },
  { title: "*q* · Σ*k* + 10⁻⁶", tensors: [["s", "similarity"]] },
  { title: "inverse, 1 ÷ *s*", tensors: [["z", "inverse"]] },
  { title: "*K*ᵀ*V*", tensors: [["", "kv"]] },
  { title: "*q* (*K*ᵀ*V*)", tensors: [["", "numerator"]] },
  { title: "output, times *z*", tensors: [["", "out"]] },
];

/** What a tensor is called in a sentence. */
export const SPOKEN: Record<string, string> = {
  input: "{x} itself", relu: "ReLU({x}) + 10⁻⁶", scaled: "{x} ÷ scale", norm: "the norm of {x}",
  unit: "{x} ÷ row maximum", power: "the power {x}ᵖ", power_norm: "the norm of {x}ᵖ", phi: "f({x}), the turned row",
  small: "{x} ÷ √N", key_sum: "the sum of the keys", similarity: "q · Σk + 10⁻⁶", inverse: "the inverse 1 ÷ s",
  kv: "KᵀV", numerator: "q (KᵀV)", out: "the output",
};

export function spoken(tensor: string): string {
  const name = /_([qkv])$/.exec(tensor)?.[1];
  return SPOKEN[name && !(tensor in SPOKEN) ? tensor.slice(0, -2) : tensor].replace("{x}", name ?? "");
}
