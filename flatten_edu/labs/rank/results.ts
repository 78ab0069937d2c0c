// What is shown: the case that the traits describe, and the newest findings, which may still be of the case before.
import { newest, startWorker, type LabModel } from "../frame";
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
  private asked: Case | null = null;
  private readonly cases = new CaseMaker();
  private readonly here = new SpectrumCache();
  private readonly worker = startWorker<Question, Findings>(code, (question) => this.here.answer(question));
  private readonly ask: (wanted: Case) => Promise<void>;

  constructor(private readonly model: LabModel<RankTraits>, arrived: () => void) {
    this.ask = newest<Case, Findings>(({ n, maps, keys, u, w }) => this.worker.ask({ n, maps, keys, u, w }), (findings, of) => {
      this.latest = { of, findings };
      arrived();
    });
  }

  refresh(): void {
    this.now = this.cases.make(this.model);
    if (this.now && this.now !== this.asked) void this.ask(this.asked = this.now);
    this.found = this.now && this.latest;
  }

  /** Whether the findings are of another case than the one that is set. */
  get busy(): boolean {
    return !this.now || this.latest?.of !== this.now;
  }

  /** The tolerance in force for N cells, a share of the largest singular value: the reader's, or NumPy's. */
  tolerance(n: number): number {
    return this.model.get("tolerance") || relativeTolerance(n);
  }

  get shown(): readonly unknown[] {
    return [this.found, this.model.get("tolerance")];
  }

  stop = () => this.worker.stop();
}
