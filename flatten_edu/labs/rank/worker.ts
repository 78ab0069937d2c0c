// Runs beside the page, so that no slider waits for a singular value.
import { Student, type Question } from "../frame/maths/rank_study";

const student = new Student();
const here = self as unknown as { onmessage: (event: MessageEvent<Question>) => void; postMessage(answer: unknown): void };
here.onmessage = ({ data }) => here.postMessage(student.answer(data));
