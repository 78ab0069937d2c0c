// Runs the models beside the page, so that a slider never waits for them.
import type { Layer } from "../frame/maths/attention_maps";
import { forward, type Settings } from "../frame/maths/deit";
import { readSafetensors, type Tensors } from "../frame/maths/safetensors";
import { answer } from "../frame/worker";

export type Question =
  | { load: string; file: DataView }
  | { run: string; image: Float64Array; settings: Settings };

export interface Answer { logits: Float64Array; blocks: Layer[]; milliseconds: number }

const models = new Map<string, Tensors>();

answer<Question>((question) => {
  if ("load" in question) {
    models.set(question.load, readSafetensors(question.file));
    return null;
  }
  const from = performance.now();
  const { logits, blocks } = forward(models.get(question.run)!, question.image, question.settings);
  const kept = blocks.map(({ n, heads, q, k, v, scale, kernel }) => ({ n, heads, q, k, v, scale, kernel }));
  return { logits, blocks: kept, milliseconds: performance.now() - from } satisfies Answer;
});
