// Run, stop, go on; how far a run has come, and what came of it, in a sentence.
import { button, h, significant, summary, type Part } from "../frame";
import { findingsOf, lead, type Findings } from "./findings";
import type { Run } from "./run";
import type { TimingRecord } from "./record";
import { isCovered, type TimingModel } from "./state";
import { crossingText } from "./table";

export function runBar(model: TimingModel, run: Run, signal: AbortSignal): Part {
  const main = button(signal, () => (run.active ? run.stop() : run.start()), { class: "fe-go" });
  const anew = button(signal, () => run.start(true), {}, "Start anew");
  const bar = h("progress", { max: 1, "aria-label": "samples taken" });
  const text = h("span", { class: "fe-state" });
  return {
    node: h("div", { class: "fe-run" }, main, anew, bar, text),
    update() {
      run.followSettings();
      const { active, goesOn, progress } = run;
      main.textContent = active ? "Stop" : goesOn ? "Go on" : model.get("own") ? "Time it again" : "Time it here";
      main.dataset.active = String(active);
      anew.hidden = active || !goesOn;
      bar.hidden = !progress && !active;
      if (progress) bar.value = progress.taken / progress.all;
      else bar.removeAttribute("value");
      text.textContent = stateText(run);
      text.dataset.state = run.status;
    },
  };
}

function stateText(run: Run): string {
  const { status, progress, failure, goesOn } = run;
  if (status === "failed") return `It could not be timed here: ${failure}.`;
  if (status === "starting") return "Starting: the browser compiles what it will time.";
  if (status === "stopped" && run.changed) return `Stopped: ${run.changed} changed. What was measured stays below.`;
  if (!progress) return "";
  const counted = `${progress.taken} of ${progress.all} samples`;
  const left = progress.left < 90 ? `${Math.max(1, Math.round(progress.left))} s` : `${Math.round(progress.left / 60)} min`;
  if (status === "running") return `${counted}, about ${left} left`;
  return goesOn ? `Stopped: ${counted}` : `Done: ${counted}`;
}

export const outcome = (model: TimingModel) => summary(() => {
  const own = model.get("own");
  if (own) return `${at(own)}${said(findingsOf(own), model.get("guess"))}`;
  return isCovered(model) ? "" : "These points were measured elsewhere. Yours will stand among them.";
}, 1500);

/** Which d a record is of, once the lab is set to another. */
const at = ({ settings }: TimingRecord) => (typeof settings.head_dim === "number" ? `At d = ${settings.head_dim}: ` : "");

function said(found: Findings, guess: number): string {
  const crossing = found.crossings["relu softmax_written_out"];
  if (!crossing) return "The first points are there; where the lines cross is not known yet.";
  const { n, low, high } = crossing;
  const text = (value: number) => crossingText(value, found, "softmax_written_out", "relu");
  const ahead = lead(found, "softmax_written_out", "relu")!;
  const parts = [
    n === 0 ? `linear attention is the faster one at every N that was measured, ${text(n)} too, perhaps.`
      : n === Infinity ? `softmax is the faster one up to N = ${ahead.n}.`
        : `linear attention is the faster one from N = ${text(n)} on (${text(low)} to ${text(high)} in 95 % of the resamples).`,
  ];
  if (ahead.times > 1) parts.push(`At N = ${ahead.n} softmax takes ${significant(ahead.times, 2)} times as long.`);
  if (guess && n > 0 && n < Infinity) parts.push(`You guessed ${guess}.`);
  if (found.failures.length) parts.push(`Not to be had: ${found.failures.join("; ")}.`);
  return parts.join(" ");
}
