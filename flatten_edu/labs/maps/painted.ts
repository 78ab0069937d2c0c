// What is painted of a map, and read off it.

export type Painted = ReturnType<typeof paintedOf>;

/** Of whole rows, the query's among them, the class token included: what is painted, over the patches alone, and its largest
 * magnitude. */
export function paintedOf(rows: Float64Array[], patch: number, offset: number) {
  const painted = rows.map((row) => row.subarray(offset));
  let top = 0;
  for (const one of painted) for (let j = 0; j < one.length; j++) top = Math.max(top, Math.abs(one[j]));
  return { row: rows[patch], rows, painted, top };
}
