// What is shown: the case that the traits describe, and the newest findings, which may still be of the case before.
import { startWorker, type LabModel } from "../frame";
import { SpectrumCache, type Findings, type Question } from "../frame/maths/rank_study";
import { relativeTolerance } from "../frame/maths/rank_spectrum";
import code from "worker:./worker.ts";
import { CaseMaker, type Case } from "./case";
import type { RankTraits } from "./state";

export class Results {
  /** null while data that were promised have not arrived. */
  now: Case | null = null;
  /** The newest findings, and the case that they belong to. */
  found: { of: Case; findings: Findings } | null = null;
  private latest: Results["found"] = null;
  private asking: Case | null = null;
  private readonly cases = new CaseMaker();
  private readonly here = new SpectrumCache();
  private readonly worker = startWorker<Question, Findings>(code, (question) => this.here.answer(question));

  constructor(private readonly model: LabModel<RankTraits>, private readonly arrived: () => void) {}

  refresh(): void {
    this.now = this.cases.make(this.model);
    if (this.now && !this.asking) void this.ask(this.now);
    this.found = this.now && this.latest;
  }

  /** Whether the findings are of another case than the one that is set. */
  get busy(): boolean {
    return !this.now || this.latest?.of !== this.now;
  }

  /** One question at a time: while it is answered only the newest case waits. */
  private async ask(wanted: Case): Promise<void> {
    if (this.latest?.of === wanted) return;
    this.asking = wanted;
    const { n, maps, keys, u, w } = wanted;
    this.latest = { of: wanted, findings: await this.worker.ask({ n, maps, keys, u, w }) };
    this.asking = null;
    this.arrived();
  }

  /** The tolerance in force for N cells, a share of the largest singular value: the reader's, or NumPy's. */
  tolerance(n: number): number {
    return this.model.get("tolerance") || relativeTolerance(n);
  }

  /** What decides what is read off the findings. */
  get shown(): readonly unknown[] {
    return [this.found, this.model.get("tolerance")];
  }

  stop(): void {
    this.worker.stop();
  }
}
