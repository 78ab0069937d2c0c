// A worker made of a string, so that a lab needs no second file.

export interface Ask<Question, Answer> {
  ask(question: Question, transfer?: Transferable[]): Promise<Answer>;
  stop(): void;
}

/** Start a worker; `ask` is answered in the order of the questions. What comes after `stop` is never answered. */
export function startWorker<Question, Answer>(source: string): Ask<Question, Answer> {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(address);
  const waiting: { resolve: (answer: Answer) => void; reject: (reason: Error) => void }[] = [];
  worker.onmessage = ({ data }: MessageEvent<{ answer?: Answer; error?: string }>) => {
    const { resolve, reject } = waiting.shift()!;
    if (data.error === undefined) resolve(data.answer!);
    else reject(new Error(data.error));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const { reject } of waiting.splice(0)) reject(new Error(event.message || "the worker could not be started"));
  };
  return {
    ask: (question, transfer = []) => new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      worker.postMessage(question, transfer);
    }),
    stop() {
      worker.terminate();
      URL.revokeObjectURL(address);
    },
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
