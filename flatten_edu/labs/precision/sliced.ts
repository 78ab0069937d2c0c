// Work that may take longer than a frame, done in slices on the page's own thread: the sliders stay free.

const SLICE = 9; // milliseconds; a frame has 16

/** Runs one piece of work at a time; `start` drops what still runs, so a late result is never shown. */
export function sliced<R>(done: (result: R) => void): { start(work: Generator<void, R>): void; cancel(): void } {
  let timer = 0;
  function slice(work: Generator<void, R>): void {
    const until = performance.now() + SLICE;
    let next = work.next();
    while (!next.done && performance.now() < until) next = work.next();
    if (next.done) done(next.value);
    else timer = setTimeout(slice, 0, work);
  }
  return {
    start(work) {
      clearTimeout(timer);
      slice(work);
    },
    cancel: () => clearTimeout(timer),
  };
}
