// Runs beside the page, so that no slider waits for a singular value.
import { SpectrumCache } from "../frame/maths/rank_study";
import { answer } from "../frame/worker";

const cache = new SpectrumCache();
answer(cache.answer.bind(cache));
