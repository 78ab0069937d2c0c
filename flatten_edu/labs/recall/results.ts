// What has been found for the setting as it is: first what the pictures show, then the points of the charts.
import { range, startWorker } from "../frame";
import { factors } from "../frame/maths/attention";
import type { Kind, Recall } from "../frame/maths/recall";
import code from "worker:./worker.ts";
import { Reader, type Answer, type Question } from "./reader";
import { panelsOf, type Curve, type Panel, type RecallModel, type Setting, type Settings } from "./state";

export const FACTORS = factors(2);
export const SIDES = range(4, 16);
const MOST_POINTS = 2000;

interface Job { id: string; setting: Setting; kind: Kind; p: number; weightAlone: boolean; panel: Panel["name"] | null }

export class Results {
  now: Setting | null = null;
  /** The newest answer of each picture; it may still be that of the setting before. */
  readonly shown: Partial<Record<Panel["name"], { id: string; setting: Setting; found: Recall }>> = {};
  private readonly points = new Map<string, Answer>();
  private readonly others = new Map<string, Setting>();
  private asking = false;
  private readonly here = new Reader();
  private readonly worker = startWorker<Question, Answer>(code, (question) => this.here.answer(question));

  constructor(private readonly model: RecallModel, private readonly settings: Settings, private readonly arrived: () => void) {}

  refresh(): void {
    const now = this.settings.make();
    if (now?.key !== this.now?.key) this.others.clear();
    this.now = now;
    void this.work();
  }

  /** Whether a picture is of another setting than the one that is set. */
  get busy(): boolean {
    return !this.now || this.panelJobs().some(({ id, panel }) => this.shown[panel!]?.id !== id);
  }

  /** A chart's point; undefined until it is found. */
  point(kind: Kind, p: number, side?: number): number | undefined {
    const curve = this.model.get("curve");
    const setting = this.at(side);
    return setting ? this.points.get(this.job(setting, kind, p, curve).id)?.[curve] : undefined;
  }

  get drawing(): boolean {
    return this.now !== null && this.chartJobs().some(({ id }) => !this.points.has(id));
  }

  stop = () => this.worker.stop();

  private at(side?: number): Setting | null {
    if (side === undefined || this.now?.source === "given") return this.now;
    if (!this.others.has(String(side))) {
      const made = this.settings.make(side);
      if (made) this.others.set(String(side), made);
    }
    return this.others.get(String(side)) ?? null;
  }

  private job(setting: Setting, kind: Kind, p: number, curve: Curve | null, panel: Panel["name"] | null = null): Job {
    const weightAlone = curve === "weight";
    const removed = weightAlone || this.model.get("removed");
    return { id: `${setting.key} ${kind} ${p} ${weightAlone ? "weight" : removed}`, setting, kind, p, weightAlone, panel };
  }

  private panelJobs(): Job[] {
    return this.now ? panelsOf(this.model.get("p")).map(({ name, kind, p }) => this.job(this.now!, kind, p, null, name)) : [];
  }

  private chartJobs(): Job[] {
    const [p, curve] = [this.model.get("p"), this.model.get("curve")];
    const against = this.now?.source === "given" ? [] : SIDES.map((side) => this.at(side)).filter((one) => one !== null);
    return [
      ...FACTORS.map((factor) => this.job(this.now!, "focused", factor, curve)), this.job(this.now!, "softmax", 1, curve),
      ...against.flatMap((one) => panelsOf(p).map((panel) => this.job(one, panel.kind, panel.p, curve))),
    ];
  }

  /** One question at a time, so that what the reader sets now waits for one answer at most. */
  private async work(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      for (let next = this.next(); next; next = this.next()) await this.answer(next);
    } finally {
      this.asking = false;
    }
  }

  private async answer({ id, setting, kind, p, weightAlone, panel }: Job): Promise<void> {
    const found = await this.worker.ask({
      key: setting.key, store: setting.store(), kind, p, weightAlone, removed: this.model.get("removed"),
    });
    if (this.points.size > MOST_POINTS) this.points.clear();
    if (panel) this.shown[panel] = { id, setting, found: found as Recall };
    this.points.set(id, { ...found, out: undefined });
    this.points.set(this.job(setting, kind, p, "weight").id, { weight: found.weight });
    this.arrived();
  }

  private next(): Job | undefined {
    if (!this.now) return undefined;
    return this.panelJobs().find(({ id, panel }) => this.shown[panel!]?.id !== id) ??
      this.chartJobs().find(({ id }) => !this.points.has(id));
  }
}
