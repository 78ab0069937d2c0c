// What is painted of a map, and read off it.

/** What a map shows. */
export interface Painted {
  /** The query's row, class token included. */
  row: Float64Array;
  rows: Float64Array[];
  /** What is painted, over the patches alone: the query's row, or all of them; and its largest magnitude. */
  painted: Float64Array[];
  top: number;
}

export function paintedOf(rows: Float64Array[], patch: number, offset: number): Painted {
  const painted = rows.map((row) => row.subarray(offset));
  let top = 0;
  for (const one of painted) for (let j = 0; j < one.length; j++) top = Math.max(top, Math.abs(one[j]));
  return { row: rows[patch], rows, painted, top };
}
