// From traits to the four maps, on the page's own thread: what did not change is kept.
import { hashNoise } from "../frame/maths/noise";
import {
  differences, dwcMatrix, focusedHead, headRows, linearMap, namedKernel, normOfRowSums, softmaxMap, sumOf,
  type Kernel, type LinearMap, type Matrix, type Tokens,
} from "../frame/maths/rank_maps";
import type { PerMap } from "../frame/maths/rank_study";
import { tensorsOf } from "../frame/tensors";
import { KERNEL_SIDE, setting, type RankModel, type Setting } from "./state";

export interface Case {
  id: number;
  setting: Setting;
  n: number;
  maps: PerMap<Matrix>;
  /** Two maps with the same key are the same. */
  keys: PerMap<string>;
  u: Matrix;
  w: Matrix;
  zeroRows: number;
  kernel: Kernel;
  kernelKey: string;
  /** Entries, and rows, in which the wrapped rendering differs from the convolution's matrix. */
  wrong: { entries: number; rows: number };
  /** The length of M_eq 1. */
  ones: number;
}

/** Makes cases from the traits, or null while tokens or kernels that were promised have not arrived. */
export class CaseMaker {
  private readonly kept = new Map<string, [key: string, value: unknown]>();
  private readonly names = new WeakMap<DataView, number>();
  private named = 0;
  private current: Case | null = null;

  make(model: RankModel): Case | null {
    const s = setting(model);
    if ((s.source === "given" || s.convolution === "given") && !model.get("tokens")?.byteLength) return null;
    const tokens = this.tokenKey(model, s);
    const linearKey = `${tokens}/${s.head}/${model.get("p")}`;
    const kernelKey = this.kernelKey(model, s);
    const dwcKey = `${kernelKey}/${s.grid}/${model.get("wrapped")}`;
    const keys = { linear: linearKey, dwc: dwcKey, equivalent: `${linearKey}+${dwcKey}`, softmax: `${tokens}/${s.head}` };
    if (this.current?.keys.equivalent === keys.equivalent) return this.current;
    const linear = this.keep("linear", keys.linear, () => this.linear(model, s, tokens));
    const softmax = this.keep("softmax", keys.softmax, () => this.softmax(model, s, tokens));
    const kernel = this.keep("kernel", kernelKey, () => this.kernel(model, s));
    const { dwc, wrong } = this.keep("dwc", keys.dwc, () => convolution(kernel, s, model.get("wrapped")));
    const equivalent = sumOf(linear.weights, dwc);
    const maps = { linear: linear.weights, dwc, equivalent, softmax };
    const id = (this.current?.id ?? 0) + 1;
    this.current = {
      id, setting: s, n: s.n, maps, keys, u: linear.u, w: linear.w, zeroRows: linear.zeroRows, kernel, kernelKey, wrong,
      ones: normOfRowSums(equivalent, s.n),
    };
    return this.current;
  }

  private keep<T>(name: string, key: string, compute: () => T): T {
    const held = this.kept.get(name);
    if (held?.[0] === key) return held[1] as T;
    const value = compute();
    this.kept.set(name, [key, value]);
    return value;
  }

  private linear(model: RankModel, s: Setting, key: string): LinearMap {
    const { q, k } = this.tokens(model, s, key);
    const p = model.get("p");
    return linearMap(focusedHead(q, p, s.head), focusedHead(k, p, s.head), s.n, s.d);
  }

  private softmax(model: RankModel, s: Setting, key: string): Matrix {
    const { q, k } = this.tokens(model, s, key);
    return softmaxMap(headRows(q, s.head), headRows(k, s.head), s.n, s.d);
  }

  private tokens(model: RankModel, s: Setting, key: string): { q: Tokens; k: Tokens } {
    return this.keep("tokens", key, () => {
      const [q, k] = ["q", "k"].map((name, stream) => ({
        n: s.n, d: s.d, heads: s.heads,
        values: s.source === "random"
          ? hashNoise(model.get("seed"), stream, s.n, s.d)
          : tokenFirst(layerOf(model, name, s), s),
      }));
      return { q, k };
    });
  }

  private kernel(model: RankModel, s: Setting): Kernel {
    if (s.convolution === "random") return randomKernel(model.get("seed"), s.channel);
    if (s.convolution !== "given") return namedKernel(s.convolution);
    const { sides } = model.get("index");
    const size = sides[0] * sides[1];
    const values = layerOf(model, "kernel", s);
    return { values: values.subarray(s.channel * size, (s.channel + 1) * size), sides };
  }

  private tokenKey(model: RankModel, s: Setting): string {
    if (s.source === "random") return `random ${model.get("seed")} ${s.n} ${s.d}`;
    return `given ${this.name(model)} ${s.layer}`;
  }

  private kernelKey(model: RankModel, s: Setting): string {
    if (s.convolution === "random") return `random ${model.get("seed")} ${s.channel}`;
    if (s.convolution === "given") return `given ${this.name(model)} ${s.layer} ${s.channel}`;
    return s.convolution;
  }

  /** A number for the tensors that were given: others have another. */
  private name(model: RankModel): number {
    const bytes = model.get("tokens")!;
    if (!this.names.has(bytes)) this.names.set(bytes, (this.named += 1));
    return this.names.get(bytes)!;
  }
}

/** One layer of a given tensor, whose first dimension counts the layers. */
function layerOf(model: RankModel, name: string, { layer }: Setting): Float64Array {
  const { shape, data } = tensorsOf(model.get("tokens")).get(name)!;
  const size = data.length / shape[0];
  return data.subarray(layer * size, (layer + 1) * size);
}

/** A channel's random kernel: 25 numbers of mean 0 and variance 1 / 25. */
export function randomKernel(seed: number, channel: number): Kernel {
  const size = KERNEL_SIDE * KERNEL_SIDE;
  const values = hashNoise(seed, 2, channel + 1, size).subarray(channel * size).map((value) => value / KERNEL_SIDE);
  return { values, sides: [KERNEL_SIDE, KERNEL_SIDE] };
}

function convolution(kernel: Kernel, { grid, n }: Setting, wrapped: boolean): { dwc: Matrix; wrong: Case["wrong"] } {
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
