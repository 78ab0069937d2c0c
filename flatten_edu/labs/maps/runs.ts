// The models beside the page: their weights are fetched once, each run is kept for when it is wanted again.
import { labFile, startWorker, type Ask } from "../frame";
import type { Settings } from "../frame/maths/deit";
import type { MapsModel } from "./state";
import type { Answer, Question } from "./worker";
import WORKER from "worker:./worker.ts";

const KEPT = 24; // a few pictures by all models, a megabyte each

export interface Job { key: string; file: string; image: Float64Array; settings: Settings }

export class Runs {
  failed = ""; // or why, in a sentence
  milliseconds = NaN;
  arrived = 0;
  private readonly done = new Map<string, Answer>();
  private readonly loads = new Map<string, Promise<unknown>>();
  private worker: Ask<Question, Answer> | null = null;
  private busy = false;

  constructor(private readonly model: MapsModel, private readonly signal: AbortSignal, private readonly changed: () => void) {}

  get(key: string): Answer | null {
    return this.done.get(key) ?? null;
  }

  /** Run a job, unless another is running: `changed` is called then, and the view says anew what it needs. */
  start(next: () => Job | null): void {
    if (this.busy || this.failed) return;
    const job = next();
    if (!job) return;
    this.busy = true;
    this.run(job).catch((error) => {
      if (!this.signal.aborted) this.failed = `The models could not be run here: ${(error as Error).message}.`;
    }).finally(() => {
      this.busy = false;
      if (!this.signal.aborted) this.changed();
    });
  }

  private async run({ key, file, image, settings }: Job): Promise<void> {
    await this.load(file);
    const answer = await this.worker!.ask({ run: file, image, settings });
    this.milliseconds = answer.milliseconds;
    this.done.set(key, answer);
    if (this.done.size > KEPT) this.done.delete(this.done.keys().next().value!);
  }

  private load(file: string): Promise<unknown> {
    this.worker ??= startWorker<Question, Answer>(WORKER);
    if (!this.loads.has(file)) {
      this.loads.set(file, labFile(this.model, file, this.signal).then((bytes) => {
        this.arrived += 1;
        return this.worker!.ask({ load: file, file: bytes });
      }));
    }
    return this.loads.get(file)!;
  }

  retry(): void {
    this.failed = "";
    this.arrived = 0;
    this.loads.clear();
  }

  remove(): void {
    this.worker?.stop();
  }
}
