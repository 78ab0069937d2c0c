// The record of a run: one JSON schema for this lab and for `python -m flatten_edu bench`, so that each reads the other's.
import { attentionCost } from "../frame/maths/cost";
import { median, quantile, type Series } from "../frame/maths/power_law";
import type { Variant } from "./backend";

export interface Point {
  variant: string;
  what: string;
  passes: string;
  n: number;
  /** Every repeat, in order; none where there was an error. */
  seconds: number[];
  median: number | null;
  quartiles: [number, number] | null;
  peak_bytes: number | null;
  multiply_adds: number | null;
  bytes_moved: number | null;
  error: string | null;
}

export interface TimingRecord {
  schema: 1;
  made_by: string;
  date: string;
  device: { kind: string; name: string; threads: number | null; memory_bytes: number | null };
  versions: Record<string, string>;
  settings: Record<string, unknown>;
  ceilings: { flops_per_s: number; bytes_per_s: number } | null;
  points: Point[];
}

/** A point of this lab: attention's core, forward, one head. The counts leave out the map, as `attention_cost` does. */
export function makePoint(variant: Variant, n: number, d: number, seconds: number[], error: string | null = null): Point {
  return {
    variant, what: "core", passes: "forward", n, seconds,
    median: seconds.length ? median(seconds) : null,
    quartiles: seconds.length ? [quantile(seconds, 0.25), quantile(seconds, 0.75)] : null,
    peak_bytes: null, // a page cannot ask
    multiply_adds: attentionCost(n, d, variant === "softmax_written_out" ? "qk_first" : "kv_first").multiplyAdds,
    bytes_moved: 4 * 4 * n * d, // q, k, v and the result, once each
    error,
  };
}

/** One way of measuring within a record: "core, forward". A file of Python's may hold several. */
const partOf = ({ what, passes }: Point) => `${what}, ${passes}`;
export const partsOf = (record: TimingRecord) => [...new Set(record.points.map(partOf))];

/** The bench names the paper's module by its map and its convolution; here it is drawn as focused attention. */
const ALIASES: Record<string, string> = { focused_dwc: "focused" };

export const drawnAs = (variant: string) => ALIASES[variant] ?? variant;

/** The times of a variant, by rising N; points that failed are left out. */
export function seriesOf(record: TimingRecord, variant: string, part: string): Series {
  const points = record.points
    .filter((point) => drawnAs(point.variant) === variant && partOf(point) === part && point.seconds.length > 0)
    .sort((a, b) => a.n - b.n);
  return { n: points.map(({ n }) => n), seconds: points.map(({ seconds }) => seconds) };
}

const MOST_POINTS = 20_000;

/** A record from the text of a file. Throws what is wrong with it, in a sentence. */
export function parseRecord(text: string): TimingRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
  const record = object(value, "the file");
  wanted(record.schema === 1, `"schema" must be 1, and is ${show(record.schema)}`);
  texts(record, ["made_by", "date"]);
  texts(object(record.device, '"device"'), ["kind", "name"], "device ");
  object(record.versions, '"versions"');
  object(record.settings, '"settings"');
  const points = record.points as Point[];
  wanted(Array.isArray(points) && points.length > 0, '"points" must be a list that is not empty');
  wanted(points.length <= MOST_POINTS, `"points" has more than ${MOST_POINTS} entries`);
  points.forEach((point, i) => checkPoint(object(point, `point ${i + 1}`), `point ${i + 1}`));
  wanted(points.some(({ seconds }) => seconds.length > 0), "none of its points has a time");
  return value as TimingRecord;
}

function checkPoint(point: Record<string, unknown>, where: string): void {
  texts(point, ["variant", "what", "passes"], `${where}: `);
  wanted(Number.isInteger(point.n) && (point.n as number) >= 1, `${where}: "n" must be a whole number from 1, and is ${show(point.n)}`);
  const { seconds, error } = point;
  wanted(error === null || typeof error === "string", `${where}: "error" must be a text or null, and is ${show(error)}`);
  const positive = (x: unknown) => typeof x === "number" && Number.isFinite(x) && x > 0;
  wanted(Array.isArray(seconds) && seconds.every(positive), `${where}: "seconds" must be a list of numbers above 0`);
  const none = (seconds as number[]).length === 0;
  wanted(none === (error !== null), `${where}: it must have either times or an error`);
  wanted(none ? point.median === null : positive(point.median), `${where}: "median" must be ${none ? "null" : "a number above 0"}`);
}

function texts(of: Record<string, unknown>, keys: string[], where = ""): void {
  for (const key of keys) wanted(typeof of[key] === "string", `${where}"${key}" must be a text, and is ${show(of[key])}`);
}

function object(value: unknown, where: string): Record<string, unknown> {
  wanted(typeof value === "object" && value !== null && !Array.isArray(value), `${where} must be an object, and is ${show(value)}`);
  return value as Record<string, unknown>;
}

function wanted(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

const show = (value: unknown) => (value === undefined ? "missing" : (JSON.stringify(value) ?? String(value)).slice(0, 40));
