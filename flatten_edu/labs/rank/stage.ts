// What is shown: the case that the traits describe, and the newest findings, which may still be of the case before.
import type { LabModel } from "../frame/lab";
import type { Findings } from "../frame/maths/rank_study";
import { relativeTolerance } from "../frame/maths/rank_spectrum";
import { CaseMaker, type Case } from "./case";
import { startEngine } from "./engine";
import type { RankTraits } from "./state";

export class Stage {
  /** null while data that were promised have not arrived. */
  now: Case | null = null;
  found: { of: Case; findings: Findings } | null = null;
  /** Whether the findings are of another case than the one that is set. */
  busy = true;
  private readonly cases = new CaseMaker();
  private readonly engine;

  constructor(private readonly model: LabModel<RankTraits>, arrived: () => void) {
    this.engine = startEngine(arrived);
  }

  refresh(): void {
    this.now = this.cases.make(this.model);
    if (this.now) this.engine.ask(this.now);
    this.found = this.now && this.engine.latest;
    this.busy = !this.now || this.engine.busy;
  }

  /** The tolerance in force for N cells, a share of the largest singular value: the reader's, or NumPy's. */
  tolerance(n: number): number {
    return this.model.get("tolerance") || relativeTolerance(n);
  }

  /** Another one says that what is read off the findings has changed. */
  get stamp(): string {
    return `${this.found?.of.id} ${this.model.get("tolerance")}`;
  }

  stop(): void {
    this.engine.stop();
  }
}
