// Runs beside the page, so that no slider waits for a product of matrices.
import { answer } from "../frame/worker";
import { Reader } from "./reader";

const reader = new Reader();
answer(reader.answer.bind(reader));
