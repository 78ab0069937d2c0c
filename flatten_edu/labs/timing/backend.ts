// What times attention: the two ways of computing behind one face. It is used within the worker.
import { hashNoise } from "../frame/maths/noise";

export const VARIANTS = ["softmax_written_out", "relu", "focused"] as const;
export type Variant = (typeof VARIANTS)[number];

/** What is computed, but for N; `dwc` adds the 5 x 5 depthwise convolution of V to the focused variant. */
export interface Task { d: number; p: number; dwc: boolean }

export interface Backend {
  /** What computes, in the browser's words; for the record. */
  readonly name: string;
  /** How a sample's time is taken: "performance.now", "onSubmittedWorkDone" or "timestamp-query". */
  readonly timer: string;
  /** Seconds that so many evaluations took, one after the other. */
  elapsed(variant: Variant, n: number, times: number): Promise<number>;
  output(variant: Variant, n: number): Promise<Float32Array>;
}

export const KERNEL_SIDE = 5;

/** Queries, keys and values: the same numbers on every machine. The first n rows of a larger table are those of a smaller. */
export const inputs = (n: number, d: number) => [0, 1, 2].map((stream) => Float32Array.from(hashNoise(0, stream, n, d)));

/** The convolution's kernel, 25 numbers a channel, channels last. */
export const kernel = (d: number) => Float32Array.from(hashNoise(0, 3, KERNEL_SIDE ** 2, d), (x) => x / KERNEL_SIDE);

/** The numbers of tokens, each about twice the one before, and the grid of patches that each is. */
export const GRIDS: readonly (readonly [number, number])[] = [
  [4, 4], [4, 7], [7, 7], [7, 14], [14, 14], [14, 28], [28, 28], [28, 56], [56, 56], [56, 112], [112, 112],
];
export const TOKENS = GRIDS.map(([height, width]) => height * width);
export const gridOf = (n: number) => GRIDS[TOKENS.indexOf(n)];

/** A sample: times a variant over as many evaluations as last `atLeast` seconds, found by trying. Seconds of one. */
export class Stopwatch {
  private readonly known = new Map<string, number>();

  constructor(private readonly backend: Backend) {}

  async sample(variant: Variant, n: number, atLeast: number): Promise<number> {
    const key = `${variant} ${n}`;
    let times = this.known.get(key) ?? 1;
    for (;;) {
      const seconds = await this.backend.elapsed(variant, n, times);
      // A known number of times is kept, a bit short or not: the samples of a point are then alike.
      if (seconds >= atLeast || this.known.has(key)) {
        this.known.set(key, times);
        return seconds / times;
      }
      times = Math.ceil(times * Math.min(10, Math.max(1.5, (1.2 * atLeast) / Math.max(seconds, 1e-9))));
    }
  }
}

/** The smallest step that the clock makes, in seconds: browsers round it on purpose. */
export function clockTick(now: () => number = () => performance.now()): number {
  let smallest = Infinity;
  const until = now() + 30;
  for (let before = now(); before < until;) {
    const after = now();
    if (after > before) smallest = Math.min(smallest, after - before);
    before = after;
  }
  return smallest / 1000;
}

/** How long a sample lasts at least: 50 ticks of the clock, and longer where each reading has a delay of its own. */
export const leastSeconds = (tick: number, timer: string) => Math.max(50 * tick, timer === "onSubmittedWorkDone" ? 0.05 : 0.01);
