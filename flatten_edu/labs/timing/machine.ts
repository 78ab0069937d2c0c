// What the machine is, as far as a page may know; and what a record says of the one it was made on.
import { significant } from "../frame";
import type { TimingRecord } from "./record";

interface Brands { brands: { brand: string; version: string }[]; platform: string }

/** "Chromium 156 on Linux"; where the browser gives no such names, its user agent. */
export function browserName(): string {
  const data = (navigator as { userAgentData?: Brands }).userAgentData;
  const brand = data?.brands.find(({ brand }) => !/not.?a.?brand/i.test(brand.replace(/[^a-z]/gi, "")));
  return brand ? `${brand.brand} ${brand.version} on ${data!.platform || "an unnamed system"}` : navigator.userAgent;
}

export const cores = () => (navigator.hardwareConcurrency ? `${navigator.hardwareConcurrency} cores` : "cores unknown");

const KINDS: Record<string, string> = { js: "typed arrays, one thread of", webgpu: "WebGPU on", cpu: "PyTorch on", cuda: "PyTorch on", mps: "PyTorch on" };

/** What a record was measured with, on, and when. */
export function describe({ device, settings, date }: TimingRecord): string {
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
export function clockOf({ settings }: TimingRecord): string {
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
