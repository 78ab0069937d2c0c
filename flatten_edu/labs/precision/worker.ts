// Runs the module beside the page, so that no slider waits for it.
import { answer } from "../frame/worker";
import { Bench } from "./bench";

const bench = new Bench();
answer(bench.run.bind(bench));
