// The typed arrays: one thread, no library.
import {
  addConvolution, focusedRows, linearAttention, reluRows, roomFor, softmaxAttention,
} from "../frame/maths/attention_timing";
import { gridOf, inputs, kernel, KERNEL_SIDE, type Backend, type Task, type Variant } from "./backend";

export class TypedArrays implements Backend {
  readonly name = "typed arrays, one thread";
  readonly timer = "performance.now";
  private capacity = 0;
  private tokens: Float32Array[] = [];
  private room = roomFor(0, 1);
  private readonly kernel: Float32Array;

  constructor(private readonly task: Task) {
    this.kernel = kernel(task.d);
  }

  async elapsed(variant: Variant, n: number, times: number): Promise<number> {
    this.reserve(n);
    const from = performance.now();
    for (let i = 0; i < times; i++) this.evaluate(variant, n);
    return (performance.now() - from) / 1000;
  }

  async output(variant: Variant, n: number): Promise<Float32Array> {
    this.reserve(n);
    return this.evaluate(variant, n).slice(0, n * this.task.d);
  }

  private reserve(n: number): void {
    if (n <= this.capacity) return;
    this.capacity = n;
    this.tokens = inputs(n, this.task.d);
    this.room = roomFor(n, this.task.d);
  }

  private evaluate(variant: Variant, n: number): Float32Array {
    const { tokens: [q, k, v], room, task: { d, p, dwc } } = this;
    if (variant === "softmax_written_out") return softmaxAttention(q, k, v, n, room);
    const [phiQ, phiK] = variant === "relu"
      ? [reluRows(q, room.phiQ, n * d), reluRows(k, room.phiK, n * d)]
      : [focusedRows(q, room.phiQ, n, d, p, false), focusedRows(k, room.phiK, n, d, p)];
    const out = linearAttention(phiQ, phiK, v, n, room);
    if (variant === "focused" && dwc) addConvolution(out, v, this.kernel, KERNEL_SIDE, gridOf(n), d);
    return out;
  }
}
