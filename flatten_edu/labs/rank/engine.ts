// Puts the lab's questions to its worker: one at a time, and while one is being answered only the newest waits.
import { MAP_NAMES, Student, type Findings, type PerMap, type Question } from "../frame/maths/rank_study";
import code from "worker:./worker.ts";
import type { Case } from "./case";

export interface Engine {
  /** Ask for a case's findings, unless it is the one last asked for. */
  ask(wanted: Case): void;
  /** The newest findings that have come, and the case they belong to. */
  readonly latest: { of: Case; findings: Findings } | null;
  /** Whether the case last asked for is still unanswered. */
  readonly busy: boolean;
  stop(): void;
}

export function startEngine(arrived: () => void): Engine {
  let [asked, waiting]: [Case | null, Case | null] = [null, null];
  let latest: Engine["latest"] = null;
  let answering: Case | null = null;
  let sent: Partial<PerMap<string>> = {};
  const helper = startHelper((findings) => {
    if (findings) latest = { of: answering!, findings };
    else [sent, waiting] = [{}, waiting ?? answering]; // the worker is gone, and what it was sent with it
    answering = null;
    if (waiting) put(waiting);
    arrived();
  });

  function put(next: Case): void {
    [answering, waiting] = [next, null];
    const maps: Question["maps"] = {};
    for (const name of MAP_NAMES) if (sent[name] !== next.keys[name]) maps[name] = next.maps[name];
    Object.assign(sent, next.keys);
    helper.post({ id: next.id, n: next.n, maps, u: next.u, w: next.w });
  }

  return {
    ask(wanted) {
      if (asked?.id === wanted.id) return;
      asked = wanted;
      if (answering) waiting = wanted;
      else put(wanted);
    },
    get latest() { return latest; },
    get busy() { return latest?.of.id !== asked?.id; },
    stop: helper.stop,
  };
}

interface Helper {
  post(question: Question): void;
  stop(): void;
}

/** A worker from a string, so that the lab is one file; where a page forbids it, the page's own thread, a bit later.
 *
 * `answer` gets null once where there is no worker after all: what it was asked has to be asked anew, and in full.
 */
function startHelper(answer: (findings: Findings | null) => void): Helper {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const student = new Student();
  let worker: Worker | null = null;
  let timer = 0;
  const stop = () => {
    worker?.terminate();
    worker = null;
    clearTimeout(timer);
    URL.revokeObjectURL(url);
  };
  try {
    worker = new Worker(url);
    worker.onmessage = ({ data }: MessageEvent<Findings>) => answer(data);
    worker.onerror = (event) => {
      event.preventDefault();
      stop();
      answer(null);
    };
  } catch {
    stop();
  }
  return {
    post(question) {
      if (worker) worker.postMessage(question);
      else timer = setTimeout(() => answer(student.answer(question)));
    },
    stop,
  };
}
