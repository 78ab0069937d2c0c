/** A worker's bundle as a string: see build.mjs. */
declare module "*?worker" {
  const source: string;
  export default source;
}
