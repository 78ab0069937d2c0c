// What the lab asks of its worker: all numbers of one kind of attention, or the weight on the asked value alone.
import { memoryOf, recall, weightOnAsked, weightsOf, type Kind, type Memory, type Recall, type Store } from "../frame/maths/recall";

export interface Question { key: string; store: Store; kind: Kind; p: number; removed: boolean; weightAlone: boolean }
export type Answer = Pick<Recall, "weight"> & Partial<Recall>;

/** Answers questions; of the stores it keeps the last one. */
export class Reader {
  private last: { key: string; memory: Memory } | null = null;

  answer({ key, store, kind, p, removed, weightAlone }: Question): Answer {
    if (this.last?.key !== key) this.last = { key, memory: memoryOf(store) };
    const { memory } = this.last;
    return weightAlone ? { weight: weightOnAsked(weightsOf(memory, kind, p), memory.n) } : recall(memory, kind, p, removed);
  }
}
