// The same two orders as compute shaders, through WebGPU.
import { gridOf, inputs, kernel, KERNEL_SIDE, type Backend, type Task, type Variant } from "./backend";
import columnSums from "./shaders/column_sums.wgsl";
import convolution from "./shaders/convolution.wgsl";
import divide from "./shaders/divide.wgsl";
import gather from "./shaders/gather.wgsl";
import map from "./shaders/map.wgsl";
import product from "./shaders/product.wgsl";
import reduce from "./shaders/reduce.wgsl";
import softmax from "./shaders/softmax.wgsl";

const SHADERS = { product, softmax: reduce + softmax, map: reduce + map, columnSums, gather, divide: reduce + divide, convolution };
const CHUNK = 256; // tokens whose share of K^T V one workgroup sums
const MAP_BYTES = 64e6; // of softmax's map as many rows are formed at a time as these hold

type Shader = keyof typeof SHADERS;

interface Launch { shader: Shader; group: GPUBindGroup; size: [number, number, number] }

/** A matrix within a buffer, as in maths/attention_timing.ts. */
interface Part { buffer: GPUBuffer; from: number; row: number; column: number }

export class Gpu implements Backend {
  /** Says what is missing where there is no WebGPU or no adapter. */
  static async open(task: Task, mapBytes = MAP_BYTES): Promise<Gpu> {
    if (!navigator.gpu) throw new Error("this browser gives this page no WebGPU");
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) throw new Error("WebGPU is here, but no adapter that it could use");
    const timed = adapter.features.has("timestamp-query");
    const device = await adapter.requestDevice({ requiredFeatures: timed ? ["timestamp-query"] : [] });
    const { vendor, architecture, description } = adapter.info;
    const fallback = "isFallbackAdapter" in adapter.info && adapter.info.isFallbackAdapter ? "software adapter" : "";
    const name = [...new Set([vendor, architecture, description, fallback])].filter(Boolean).join(", ") || "adapter without a name";
    return new Gpu(device, name, task, timed, mapBytes);
  }

  private readonly pipelines: Record<Shader, GPUComputePipeline>;
  private readonly kernel: GPUBuffer;
  private readonly stamps: { set: GPUQuerySet; resolved: GPUBuffer; read: GPUBuffer } | null;
  private room: Record<"q" | "k" | "v" | "phiQ" | "phiK" | "out" | "map" | "parts" | "partSums" | "kv" | "sums", GPUBuffer> | null = null;
  private capacity = 0;
  private readonly plans = new Map<string, Launch[]>();

  private constructor(
    private readonly device: GPUDevice, readonly name: string, private readonly task: Task, timed: boolean, private readonly mapBytes: number,
  ) {
    const pipeline = (code: string) => device.createComputePipeline({
      layout: "auto", compute: { module: device.createShaderModule({ code }) },
    });
    this.pipelines = Object.fromEntries(
      Object.entries(SHADERS).map(([name, code]) => [name, pipeline(code)])) as Record<Shader, GPUComputePipeline>;
    this.kernel = this.filled(kernel(task.d));
    this.stamps = timed ? {
      set: device.createQuerySet({ type: "timestamp", count: 2 }),
      resolved: device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC }),
      read: device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
    } : null;
  }

  get timer(): string {
    return this.stamps ? "timestamp-query" : "onSubmittedWorkDone";
  }

  async elapsed(variant: Variant, n: number, times: number): Promise<number> {
    const seconds = await this.run(variant, n, times);
    if (!this.stamps) return seconds;
    const { read } = this.stamps;
    await read.mapAsync(GPUMapMode.READ);
    const [from, to] = new BigUint64Array(read.getMappedRange().slice(0));
    read.unmap();
    return Number(to - from) / 1e9;
  }

  async output(variant: Variant, n: number): Promise<Float32Array> {
    await this.run(variant, n, 1);
    const size = 4 * n * this.task.d;
    const read = this.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.room!.out, 0, read, 0, size);
    this.device.queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    const out = new Float32Array(read.getMappedRange().slice(0));
    read.destroy();
    return out;
  }

  /** All launches in one pass, so that two time stamps embrace them; seconds until all is done, on the page's clock. */
  private async run(variant: Variant, n: number, times: number): Promise<number> {
    this.device.pushErrorScope("out-of-memory");
    this.device.pushErrorScope("validation");
    this.reserve(n);
    const launches = this.plan(variant, n);
    const encoder = this.device.createCommandEncoder();
    const pass = encoder.beginComputePass(this.stamps
      ? { timestampWrites: { querySet: this.stamps.set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } } : {});
    for (let i = 0; i < times; i++) {
      for (const { shader, group, size } of launches) {
        pass.setPipeline(this.pipelines[shader]);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...size);
      }
    }
    pass.end();
    if (this.stamps) {
      encoder.resolveQuerySet(this.stamps.set, 0, 2, this.stamps.resolved, 0);
      encoder.copyBufferToBuffer(this.stamps.resolved, 0, this.stamps.read, 0, 16);
    }
    const commands = encoder.finish();
    const from = performance.now();
    this.device.queue.submit([commands]);
    await this.device.queue.onSubmittedWorkDone();
    const seconds = (performance.now() - from) / 1000;
    for (const error of [await this.device.popErrorScope(), await this.device.popErrorScope()]) {
      if (error) throw new Error(error.message);
    }
    return seconds;
  }

  private reserve(n: number): void {
    if (n <= this.capacity) return;
    for (const buffer of Object.values(this.room ?? {})) buffer.destroy();
    this.plans.clear();
    this.capacity = n;
    const { d } = this.task;
    const chunks = Math.ceil(n / CHUNK);
    const [q, k, v] = inputs(n, d).map((numbers) => this.filled(numbers));
    const [phiQ, phiK, out] = [0, 1, 2].map(() => this.empty(n * d));
    this.room = {
      q, k, v, phiQ, phiK, out, map: this.empty(this.rowsAtATime(n) * n), parts: this.empty(chunks * d * d),
      partSums: this.empty(chunks * d), kv: this.empty(d * d), sums: this.empty(d),
    };
  }

  private plan(variant: Variant, n: number): Launch[] {
    const key = `${variant} ${n}`;
    if (!this.plans.has(key)) this.plans.set(key, variant === "softmax_written_out" ? this.softmax(n) : this.linear(n, variant));
    return this.plans.get(key)!;
  }

  /** How many rows of softmax's n x n map are formed at a time: all, or as many 32s as there is room for. */
  private rowsAtATime(n: number): number {
    return Math.min(n, 32 * Math.max(1, Math.floor(this.mapBytes / 4 / n / 32)));
  }

  /** As many rows of the map at a time as fit: product, softmax, product. */
  private softmax(n: number): Launch[] {
    const { d } = this.task;
    const { q, k, v, map, out } = this.room!;
    const launches: Launch[] = [];
    for (let from = 0; from < n; from += this.rowsAtATime(n)) {
      const rows = Math.min(this.rowsAtATime(n), n - from);
      launches.push(
        this.product(map, 0, { buffer: q, from: from * d, row: d, column: 1 }, { buffer: k, from: 0, row: 1, column: d }, rows, d, n),
        this.launch("softmax", [n], [map], [rows, 1, 1], 1 / Math.sqrt(d)),
        this.product(out, from * d, { buffer: map, from: 0, row: n, column: 1 }, { buffer: v, from: 0, row: d, column: 1 }, rows, n, d),
      );
    }
    return launches;
  }

  /** The maps of q and k, K^T V and the keys' sum by chunks of tokens, Q (K^T V), and the division by the rows' sums. */
  private linear(n: number, variant: "relu" | "focused"): Launch[] {
    const { d, p, dwc } = this.task;
    const { q, k, v, phiQ, phiK, out, parts, partSums, kv, sums } = this.room!;
    const factor = variant === "focused" ? p : 0;
    const chunks = Math.ceil(n / CHUNK);
    const whole = (buffer: GPUBuffer): Part => ({ buffer, from: 0, row: d, column: 1 });
    const launches = [
      this.launch("map", [d], [q, phiQ], [n, 1, 1], factor),
      this.launch("map", [d], [k, phiK], [n, 1, 1], factor),
      this.product(parts, 0, { buffer: phiK, from: 0, row: 1, column: d }, whole(v), d, n, d, CHUNK),
      this.launch("columnSums", [n, d, CHUNK], [phiK, partSums], [chunks, 1, 1]),
      this.launch("gather", [d * d, chunks], [parts, kv], [Math.ceil((d * d) / 64), 1, 1]),
      this.launch("gather", [d, chunks], [partSums, sums], [1, 1, 1]),
      this.product(out, 0, whole(phiQ), whole(kv), n, d, d),
      this.launch("divide", [d], [phiQ, sums, out], [n, 1, 1]),
    ];
    if (variant === "focused" && dwc) {
      const size: Launch["size"] = [Math.ceil((n * d) / 64), 1, 1];
      launches.push(this.launch("convolution", [...gridOf(n), d, KERNEL_SIDE], [v, this.kernel, out], size));
    }
    return launches;
  }

  private product(c: GPUBuffer, from: number, a: Part, b: Part, rows: number, inner: number, columns: number, chunk = inner): Launch {
    const shape = [rows, inner, columns, chunk, a.from, a.row, a.column, b.from, b.row, b.column, from];
    const size: Launch["size"] = [Math.ceil(columns / 32), Math.ceil(rows / 32), Math.ceil(inner / chunk)];
    return this.launch("product", shape, [a.buffer, b.buffer, c], size);
  }

  /** A launch with its uniform numbers: whole ones, then one float. */
  private launch(shader: Shader, whole: number[], buffers: GPUBuffer[], size: Launch["size"], value = 0): Launch {
    const numbers = new Uint32Array(Math.ceil((whole.length + 1) / 4) * 4);
    numbers.set(whole);
    new Float32Array(numbers.buffer)[whole.length] = value;
    const uniform = this.filled(numbers, GPUBufferUsage.UNIFORM);
    const group = this.device.createBindGroup({
      layout: this.pipelines[shader].getBindGroupLayout(0),
      entries: [uniform, ...buffers].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    return { shader, group, size };
  }

  private empty(count: number): GPUBuffer {
    return this.device.createBuffer({ size: 4 * count, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  }

  private filled(numbers: Float32Array | Uint32Array, usage = GPUBufferUsage.STORAGE): GPUBuffer {
    const buffer = this.device.createBuffer({ size: numbers.byteLength, usage, mappedAtCreation: true });
    new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
    buffer.unmap();
    return buffer;
  }
}
