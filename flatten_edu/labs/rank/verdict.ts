// One paragraph on why the sum has the rank that it has; another for each way to fail.
import { numericalRank, relativeTolerance } from "../frame/maths/rank_spectrum";
import { scientific } from "../frame";
import { bounds, type Bounds } from "./guarantee";
import type { Results } from "./results";

/** In these texts *A* is set in italics. */
export function verdict(results: Results, tolerance: number, drawnWrapped: boolean): string {
  if (!results.found) return results.now ? "The singular values are being computed." : "";
  const { of, findings: { spectra } } = results.found;
  const { n, setting: { convolution, d } } = of;
  const b = bounds(spectra.linear, spectra.dwc, spectra.equivalent);
  const parts: string[] = [];
  if (b.dwc === 0) parts.push(`The kernel is zero: *M*_{eq} is *A* alone, and its rank is at most *d* = ${d}, whatever N is.`);
  else if (convolution === "minus_impulse") parts.push(impulse(of.zeroRows, b.sum, n, of.ones));
  else if (b.dwc < n) parts.push(singular(b, n));
  else parts.push(generic(b, n));
  if (drawnWrapped && of.wrong.entries > 0) parts.push(`Drawn as the authors' figure code does, ${of.wrong.entries} entries of *M*_{DWC} in ${of.wrong.rows} rows are wrong, and these ranks are not the convolution's.`);
  if (b.sum === n) {
    const smallest = spectra.equivalent[n - 1] / spectra.equivalent[0];
    parts.push(`Full says nothing about how full: the smallest singular value is ${scientific(smallest)} of the largest.`);
  }
  const coarse = tolerance > 0 && tolerance > relativeTolerance(n) ? numericalRank(spectra.equivalent, tolerance) : b.sum;
  if (coarse !== b.sum) parts.push(`At a tolerance of ${scientific(tolerance)} only ${coarse} of them count: the bounds are about exact ranks, not about such counts.`);
  return parts.join(" ");
}

function generic({ linear, sum, low }: Bounds, n: number): string {
  if (linear === n) return `*A* has rank ${n} by itself here, since *d* is not below N: nothing is left for the convolution to mend.`;
  if (sum < n) return `Both are as full as they can be, and the sum still falls short: ${sum} of ${n}. One of the rare failures.`;
  return `*M*_{DWC} has full rank by itself; *A*, of rank ${linear}, adds nothing to that. It could take away: only ${low} is certain. ` +
    "For a full sum to lose rank, the lemma's second factor must be exactly zero: whatever *A* is, almost every kernel avoids that.";
}

function impulse(zeroRows: number, sum: number, n: number, ones: number): string {
  if (zeroRows === 0) {
    return `Built to fail: *M*_{DWC} = −I has full rank, and each row of *A* sums to 1, so *A* − I sends the vector of ones to zero: ` +
      `‖(*A* − I)1‖ = ${scientific(ones)}. Rank ${sum} of ${n}.`;
  }
  const rows = zeroRows === 1 ? "One query has" : `${zeroRows} queries have`;
  return `Built to fail, but ${rows.toLowerCase()} no positive entry, so ${zeroRows === 1 ? "its row" : "their rows"} of *A* ${zeroRows === 1 ? "is" : "are"} zero and ` +
    `${zeroRows === 1 ? "does" : "do"} not sum to 1: ‖(*A* − I)1‖ = ${scientific(ones)}, and the rank is ${sum} of ${n}. Another seed or a larger *d* brings the failure back.`;
}

function singular({ linear, dwc, sum, high }: Bounds, n: number): string {
  const missing = n - dwc;
  const start = `*M*_{DWC} alone has rank ${dwc}: ${missing} ${missing === 1 ? "is" : "are"} missing, and *A* has rank ${linear}. `;
  if (sum === n) return start + "Here the low rank fills the gap.";
  return start + `So the sum can reach ${high} at most${sum === high ? ", and does" : `; it has ${sum}`}.`;
}
