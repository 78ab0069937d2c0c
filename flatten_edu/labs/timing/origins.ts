// Where the points come from: this machine, and the one of the record beside.
import { h, Memo, significant, type Part } from "../frame";
import { findingsOf } from "./findings";
import type { TimingRecord } from "./record";
import { besideOf, type TimingModel } from "./state";

export function origins(model: TimingModel): Part {
  const [own, beside] = [h("p", {}), h("p", {})];
  const memo = new Memo();
  const show = (mine: TimingRecord | null, other: TimingRecord | null, which: string) => {
    fill(own, "filled", mine ? `Yours: ${describe(mine)}. ${clockOf(mine)}${omitted(mine)}`
      : `Yours: none yet. This page runs in ${browserName()}, ${cores()}; how finely its clock ticks is measured when a run starts.`);
    const from = which === "shipped" || other !== model.get("other") ? "Measured elsewhere, on" : "Your other record:";
    fill(beside, "hollow", other ? `${from} ${describe(other)}.${omitted(other)}` : "");
  };
  return {
    node: h("div", { class: "fe-origins" }, own, beside),
    update() {
      const now = [model.get("own"), besideOf(model), model.get("beside")] as const;
      memo.keep("shown", now, () => show(...now));
    },
  };
}

function fill(node: HTMLElement, mark: "filled" | "hollow", text: string): void {
  node.hidden = !text;
  node.replaceChildren(h("span", { class: `fe-dot fe-${mark}`, "aria-hidden": "true" }), text);
}

function omitted(record: TimingRecord): string {
  const { part, others } = findingsOf(record);
  const shown = part === "core, forward" ? "" : ` Drawn: ${part}.`;
  return `${shown}${others.length ? ` Not drawn: ${others.join(", ")}.` : ""}`;
}

interface Brands { brands: { brand: string; version: string }[]; platform: string }

/** "Chromium 156 on Linux"; where the browser gives no such names, its user agent. */
export function browserName(): string {
  const data = (navigator as { userAgentData?: Brands }).userAgentData;
  const brand = data?.brands.find(({ brand }) => !/not.?a.?brand/i.test(brand.replace(/[^a-z]/gi, "")));
  return brand ? `${brand.brand} ${brand.version} on ${data!.platform || "an unnamed system"}` : navigator.userAgent;
}

const cores = () => (navigator.hardwareConcurrency ? `${navigator.hardwareConcurrency} cores` : "cores unknown");

const KINDS: Record<string, string> = { js: "typed arrays, one thread of", webgpu: "WebGPU on", cpu: "PyTorch on", cuda: "PyTorch on", mps: "PyTorch on" };

/** What a record was measured with, on, and when. */
function describe({ device, settings, date }: TimingRecord): string {
  const when = new Date(date);
  const { cores, head_dim: d, p, dwc, heads, batch, dtype } = settings;
  const number = (value: unknown, text: string, above = -Infinity) => typeof value === "number" && value > above && text;
  const parts = [
    `${KINDS[device.kind] ?? `${device.kind} on`} ${device.name}`,
    number(cores, `${cores} cores`) || (device.threads && `${device.threads} threads`),
    !Number.isNaN(when.getTime()) && when.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }),
    number(d, `d = ${d}`), number(p, `p = ${p}`), dwc === true && "focused with the convolution", number(heads, `${heads} heads`, 1),
    number(batch, `batch ${batch}`, 1), typeof dtype === "string" && dtype !== "float32" && dtype,
  ];
  return parts.filter(Boolean).join(", ");
}

/** How a record's samples were timed; nothing where it does not say. */
function clockOf({ settings }: TimingRecord): string {
  const { timer, tick_seconds: tick, least_seconds: least, difference_from_typed_arrays: difference } = settings;
  if (typeof tick !== "number" || typeof least !== "number") return "";
  const how = timer === "timestamp-query" ? "Timed by the device's own time stamps"
    : timer === "onSubmittedWorkDone" ? "Timed from submitting the work until the device says that it is done" : "Timed by performance.now";
  const checked = typeof difference === "number"
    ? ` Its results differ from the typed arrays' by at most ${difference.toExponential(0)} of the largest entry.` : "";
  return `${how}. The browser's clock moves in steps of ${milliseconds(tick)}, so a sample lasts at least ${milliseconds(least)}: ` +
    `an evaluation that takes less is repeated within it.${checked}`;
}

const milliseconds = (seconds: number) => `${significant(1000 * seconds, 2)} ms`;
