// A worker made of a string, so that a lab needs no second file.

export interface Ask<Question, Answer> { ask(question: Question): Promise<Answer>; stop(): void }

/** Start a worker; `ask` is answered in the order of the questions. What comes after `stop` is never answered.
 *
 * Where a page allows no worker, `instead` answers on the page's own thread, a bit later; without it, `ask` is rejected.
 */
export function startWorker<Question, Answer>(source: string, instead?: (question: Question) => Answer): Ask<Question, Answer> {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const waiting: { question: Question; resolve: (answer: Answer) => void; reject: (reason: Error) => void }[] = [];
  let worker: Worker | null = null;
  let stopped = false;
  const here = ({ question, resolve, reject }: (typeof waiting)[number]) => {
    if (!instead) return reject(new Error("this browser lets the page compute nothing in the background"));
    setTimeout(() => { if (!stopped) resolve(instead(question)); });
  };
  try {
    worker = new Worker(address);
    worker.onmessage = ({ data }: MessageEvent<{ answer?: Answer; error?: string }>) => {
      const { resolve, reject } = waiting.shift()!;
      if (data.error === undefined) resolve(data.answer!);
      else reject(new Error(data.error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker?.terminate();
      worker = null;
      waiting.splice(0).forEach(here);
    };
  } catch { /* no worker */ }
  return {
    ask: (question) => new Promise((resolve, reject) => {
      const one = { question, resolve, reject };
      if (!worker) return here(one);
      waiting.push(one);
      worker.postMessage(question);
    }),
    stop() {
      stopped = true;
      worker?.terminate();
      URL.revokeObjectURL(address);
    },
  };
}

/** Asks one question at a time: while it is answered only the newest one waits. `told` gets each answer with its question. */
export function newest<Question, Answer>(
  ask: (question: Question) => Promise<Answer>, told: (answer: Answer, question: Question) => void,
): (question: Question) => Promise<void> {
  let waiting: Question | null = null;
  let busy = false;
  return async (question) => {
    waiting = question;
    if (busy) return;
    busy = true;
    try {
      while (waiting) {
        const one: Question = waiting;
        waiting = null;
        told(await ask(one), one);
      }
    } finally {
      busy = false;
    }
  };
}

/** In the worker: answer each question, at once or later; who replies later is asked one question at a time. */
export function answer<Question>(reply: (question: Question) => unknown): void {
  addEventListener("message", async ({ data }: MessageEvent<Question>) => {
    try {
      postMessage({ answer: await reply(data) });
    } catch (error) {
      postMessage({ error: String(error) });
    }
  });
}
