// A run: asks the worker for one sample after the other, and keeps the record that grows of them.
import { change, startWorker, type Ask } from "../frame";
import code from "worker:./worker.ts";
import type { Variant } from "./backend";
import { browserName } from "./origins";
import { next, plan, progress, REPEATS } from "./plan";
import { makePoint, parseRecord, type TimingRecord } from "./record";
import { isOfThis, task, type TimingModel } from "./state";
import type { Opened, Question } from "./worker";

const SHOW_EVERY = 250; // milliseconds: the page draws what came meanwhile

type Status = "idle" | "starting" | "running" | "stopped" | "done" | "failed";

export class Run {
  status: Status = "idle";
  failure = "";
  /** What the reader changed, if that stopped the run. */
  changed = "";
  private worker: Ask<Question, Opened | number> | null = null;
  private record: TimingRecord | null = null;
  /** What the lab was set to when the run began. */
  private asked: ReturnType<Run["setting"]> | null = null;
  private showing = 0;
  private ticking = 0;
  private sampleFrom = 0;

  constructor(private readonly model: TimingModel, private readonly redraw: () => void) {}

  get active(): boolean {
    return this.status === "starting" || this.status === "running";
  }

  /** Whether there is more to measure as the lab is set: samples of the reader's record, or points that now fit. */
  get goesOn(): boolean {
    const own = this.model.get("own");
    return own !== null && isOfThis(own, this.model) && next(this.planned(own)) !== null;
  }

  /** Samples taken, in all, and seconds left; of the sample that runs, what it has taken is off. */
  get progress(): { taken: number; all: number; left: number } | null {
    const own = this.record ?? this.model.get("own");
    if (!own || !isOfThis(own, this.model)) return null;
    const found = progress(this.planned(own));
    const since = this.status === "running" ? (performance.now() - this.sampleFrom) / 1000 : 0;
    return { ...found, left: Math.max(0, found.left - since) };
  }

  /** Begin, or go on. A record of other settings, or a finished one, is kept beside the new one. */
  async start(anew = false): Promise<void> {
    this.asked = this.setting();
    this.record = this.goesOn && !anew ? structuredClone(this.model.get("own")) : null;
    this.failure = this.changed = "";
    this.say("starting");
    this.ticking = setInterval(this.redraw, 1000);
    try {
      const worker = startWorker<Question, Opened | number>(code);
      this.worker = worker;
      const opened = (await worker.ask(this.asked)) as Opened;
      const before = this.model.get("own");
      if (!this.record && before) {
        this.model.set("other", before);
        this.model.set("beside", "other");
        change(this.model, "own", null);
      }
      this.record ??= emptyRecord(this.asked, opened, this.model.get("budget"));
      this.say("running");
      await this.measure(worker, this.record);
      this.end("done");
    } catch (error) {
      this.failure = reason(error);
      this.end("failed");
    }
  }

  stop(): void {
    if (this.active) this.end("stopped");
  }

  /** Stop where the lab is set to something else than what is being timed. */
  followSettings(): void {
    if (!this.active) return;
    const [before, now] = [this.asked!, this.setting()].map(({ open, task }): Record<string, unknown> => ({ device: open, ...task }));
    const other = Object.keys(now).find((name) => before[name] !== now[name]);
    if (!other) return;
    this.changed = other === "dwc" ? "the convolution" : other;
    this.end("stopped");
  }

  remove(): void {
    this.worker?.stop();
    this.worker = null;
    clearTimeout(this.showing);
    clearInterval(this.ticking);
  }

  private async measure(worker: Ask<Question, Opened | number>, record: TimingRecord): Promise<void> {
    for (let cell = next(this.planned(record)); cell; cell = next(this.planned(record))) {
      this.sampleFrom = performance.now();
      try {
        add(record, cell.variant, cell.n, (await worker.ask({ sample: cell.variant, n: cell.n })) as number);
      } catch (error) {
        add(record, cell.variant, cell.n, NaN, reason(error));
      }
      this.showing ||= setTimeout(() => this.publish(), SHOW_EVERY);
    }
  }

  private publish(): void {
    clearTimeout(this.showing);
    this.showing = 0;
    if (!this.record?.points.length) return;
    change(this.model, "own", structuredClone(this.record));
    keep(this.record);
  }

  private end(status: Status): void {
    this.remove();
    this.publish();
    this.record = null;
    this.say(status);
  }

  /** On a published page: the run that was left by a reload, if this lab has none of its own. */
  restore(): void {
    if (this.model.initial && !this.model.get("own")) change(this.model, "own", kept());
  }

  private say(status: Status): void {
    this.status = status;
    this.redraw();
  }

  private setting = () => ({ open: this.model.get("device"), task: task(this.model) });

  private planned(record: TimingRecord) {
    return plan(record, this.model.get("budget"), record.settings.least_seconds as number);
  }
}

function emptyRecord({ open, task: { d, p, dwc } }: ReturnType<Run["setting"]>, opened: Opened, budget: number): TimingRecord {
  const { name, timer, tick, least, difference } = opened;
  return {
    schema: 1, made_by: "flatten_edu lab timing", date: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    device: { kind: open, name: open === "js" ? browserName() : name, threads: open === "js" ? 1 : null, memory_bytes: null },
    versions: { user_agent: navigator.userAgent },
    settings: {
      what: "core", dtype: "float32", batch: 1, heads: 1, head_dim: d, passes: "forward", repeats: REPEATS, p, dwc,
      cores: navigator.hardwareConcurrency, timer, tick_seconds: Number(tick.toPrecision(3)), least_seconds: least, budget_seconds: budget,
      difference_from_typed_arrays: difference,
    },
    ceilings: null, points: [],
  };
}

/** Another sample of a point. One that cannot be had is a part of the record, and no reason to end. */
function add({ points, settings }: TimingRecord, variant: Variant, n: number, seconds: number, error: string | null = null): void {
  const at = points.findIndex((point) => point.variant === variant && point.n === n);
  const samples = error ? [] : [...(points[at]?.seconds ?? []), Number(seconds.toPrecision(5))];
  points[at < 0 ? points.length : at] = makePoint(variant, n, settings.head_dim as number, samples, error);
}


const KEPT = "flatten_edu timing";

/** A reload must not cost a run of minutes; a page that may store nothing loses it. */
function keep(record: TimingRecord): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(record));
  } catch { /* no storage, or it is full */ }
}

function kept(): TimingRecord | null {
  try {
    return parseRecord(sessionStorage.getItem(KEPT) ?? "");
  } catch {
    return null;
  }
}

const reason = (error: unknown) => String((error as Error).message ?? error).replace(/^\w*Error: /, "");
