// From traits to the four maps, on the page's own thread: what did not change is kept.
import { ofHead } from "../frame/maths/attention_maps";
import { add } from "../frame/maths/layers";
import { Memo, tensorsOf as tensorsIn } from "../frame";
import { hashNoise } from "../frame/maths/noise";
import {
  differences, dwcMatrix, focusedHead, linearMap, namedKernel, normOfRowSums, softmaxMap,
  type Kernel, type Matrix, type Tokens,
} from "../frame/maths/rank_maps";
import type { PerMap } from "../frame/maths/rank_study";
import { KERNEL_SIDE, setting, type RankModel, type Setting } from "./state";

export type Case = NonNullable<ReturnType<CaseMaker["make"]>>;

/** Makes cases from the traits, the same one of the same traits; null while tokens that were promised have not arrived. */
export class CaseMaker {
  private readonly memo = new Memo();
  private readonly numbers = new WeakMap<Matrix, number>();
  private numbered = 0;

  make(model: RankModel) {
    const s = setting(model);
    const [bytes, seed, p, wrapped] = [model.get("tokens"), model.get("seed"), model.get("p"), model.get("wrapped")];
    if ((s.source === "given" || s.convolution === "given") && !bytes?.byteLength) return null;
    const [q, k] = this.memo.keep("tokens", s.source === "random" ? [seed, s.n, s.d] : [bytes, s.layer], () => tokensOf(model, s));
    const linear = this.memo.keep("linear", [q, p, s.head], () => linearMap(focusedHead(q, p, s.head), focusedHead(k, p, s.head), s.n, s.d));
    const softmax = this.memo.keep("softmax", [q, s.head], () => {
      const [rows, columns] = [q, k].map(({ values }) => ofHead(values, s.n, s.heads, s.head));
      return softmaxMap(rows, columns, s.n, s.d);
    });
    const kernel = this.memo.keep("kernel", [s.convolution, s.channel, ...(s.convolution === "given" ? [bytes, s.layer] : [seed])], () => kernelOf(model, s));
    const { dwc, wrong } = this.memo.keep("dwc", [kernel, ...s.grid, wrapped], () => convolution(kernel, s, wrapped));
    return this.memo.keep("case", [linear, softmax, dwc], () => {
      const equivalent = add(linear.weights, dwc);
      const maps = { linear: linear.weights, dwc, equivalent, softmax };
      const keys = Object.fromEntries(Object.entries(maps).map(([name, map]) => [name, this.number(map)])) as PerMap<number>;
      const { u, w, zeroRows } = linear;
      // `wrong` counts what the wrapped drawing changes in the convolution's matrix, `ones` is the length of M_eq 1.
      return { setting: s, n: s.n, maps, keys, u, w, zeroRows, kernel, wrong, ones: normOfRowSums(equivalent, s.n) };
    });
  }

  private number(map: Matrix): number {
    if (!this.numbers.has(map)) this.numbers.set(map, (this.numbered += 1));
    return this.numbers.get(map)!;
  }
}

function tokensOf(model: RankModel, s: Setting): Tokens[] {
  const values = (name: string, stream: number) =>
    (s.source === "random" ? hashNoise(model.get("seed"), stream, s.n, s.d) : tokenFirst(layerOf(model, name, s), s));
  return ["q", "k"].map((name, stream) => ({ n: s.n, d: s.d, heads: s.heads, values: values(name, stream) }));
}

function kernelOf(model: RankModel, s: Setting): Kernel {
  if (s.convolution !== "random" && s.convolution !== "given") return namedKernel(s.convolution);
  const given = s.convolution === "given";
  const sides = given ? model.get("index").sides : [KERNEL_SIDE, KERNEL_SIDE] as const;
  const size = sides[0] * sides[1];
  // Random ones are 25 numbers a channel, of mean 0 and variance 1 / 25.
  const values = given ? layerOf(model, "kernel", s)
    : hashNoise(model.get("seed"), 2, s.channel + 1, size).map((value) => value / KERNEL_SIDE);
  return { values: values.subarray(s.channel * size, (s.channel + 1) * size), sides };
}

/** One layer of a given tensor, whose first dimension counts the layers. */
function layerOf(model: RankModel, name: string, { layer }: Setting): Float64Array {
  const { shape, data } = tensorsIn(model.get("tokens")).get(name)!;
  const size = data.length / shape[0];
  return data.subarray(layer * size, (layer + 1) * size);
}

function convolution(kernel: Kernel, { grid, n }: Setting, wrapped: boolean) {
  const exact = dwcMatrix(kernel, grid);
  const drawn = dwcMatrix(kernel, grid, true);
  return { dwc: wrapped ? drawn : exact, wrong: differences(drawn, exact, n) };
}

/** From head after head, as Python gives them, to token after token. */
function tokenFirst(values: Float64Array, { n, d, heads }: Setting): Float64Array {
  const out = new Float64Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < n; i++) {
      out.set(values.subarray((head * n + i) * d, (head * n + i + 1) * d), (i * heads + head) * d);
    }
  }
  return out;
}
