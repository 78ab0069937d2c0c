// Runs beside the page: computes and times, so that the page never waits.
import { answer } from "../frame/worker";
import { clockTick, leastSeconds, Stopwatch, VARIANTS, type Backend, type Task, type Variant } from "./backend";
import { Gpu } from "./gpu";
import { TypedArrays } from "./typed";

export type Device = "js" | "webgpu";
export type Question = { open: Device; task: Task } | { sample: Variant; n: number };

/** What the first answer says of the machine: of its clock, and how long a sample lasts at least, in seconds; with WebGPU
 * the largest difference from the typed arrays' result, as a share of its largest entry. */
export type Opened = Awaited<ReturnType<typeof open>>;

const WARM_UP = 196; // tokens: so much is computed, untimed, until the browser has compiled what it runs often
const WARM_SECONDS = 0.15;

let stopwatch: Stopwatch;
let least = 0;

async function open(device: Device, task: Task) {
  const backend: Backend = device === "webgpu" ? await Gpu.open(task) : new TypedArrays(task);
  const tick = clockTick();
  least = leastSeconds(tick, backend.timer);
  for (const variant of VARIANTS) {
    const until = performance.now() + 1000 * WARM_SECONDS;
    while (performance.now() < until) await backend.elapsed(variant, WARM_UP, 4);
  }
  stopwatch = new Stopwatch(backend);
  const difference = device === "webgpu" ? await largestDifference(backend, new TypedArrays(task)) : null;
  return { name: backend.name, timer: backend.timer, tick, least, difference };
}

async function largestDifference(backend: Backend, other: Backend): Promise<number> {
  const shares = [];
  for (const variant of VARIANTS) {
    const [found, wanted] = [await backend.output(variant, WARM_UP), await other.output(variant, WARM_UP)];
    shares.push(Math.max(...wanted.map((x, i) => Math.abs(x - found[i]))) / Math.max(...wanted.map(Math.abs))); // NaN stays
  }
  return Math.max(...shares);
}

answer<Question>((question) => "open" in question
  ? open(question.open, question.task)
  : stopwatch.sample(question.sample, question.n, least));
