// Mounts the labs of a published page: no kernel, no widget manager. Each lab is an anywidget module and a JSON state.
import { h } from "./dom";
import type { LabModel } from "./model";
import { allows, type Rules } from "./schema";

type Traits = Record<string, unknown>;

interface Description {
  esm: string;
  state: Traits & { _rules: Rules };
  /** Traits that are bytes: the file that holds each. */
  buffers: Record<string, string>;
  /** Files that the lab fetches by itself, once a reader asks for what needs them. */
  files: Record<string, string>;
  /** The folder of the labs' own pages, where the site has them. */
  pages?: string;
}

/** What an anywidget model does under a kernel, within the page. */
class PageModel implements LabModel<Traits> {
  private readonly traits: Traits;
  private readonly events = new EventTarget();

  /** `state` is what the page says, `linked` what a link to a view sets beyond it. */
  constructor(private readonly state: Traits, linked: Traits, private readonly files: Record<string, string>, private readonly pages?: string) {
    this.traits = { ...state, ...linked };
  }

  initial = (name: string) => this.state[name];

  file = (name: string) => fetchBytes(this.files[name]);

  get(name: string) {
    return this.traits[name];
  }

  set(name: string, value: unknown) {
    if (Object.is(this.traits[name], value)) return;
    this.traits[name] = value;
    for (const event of [`change:${name}`, "change"]) this.events.dispatchEvent(new Event(event));
  }

  save_changes() {}

  send() {}

  on(event: string, handler: () => void) {
    this.events.addEventListener(event, handler);
  }

  off(event: string, handler: () => void) {
    this.events.removeEventListener(event, handler);
  }

  link = () => location.href;

  lab = (name: string): string | undefined => this.pages && `${this.pages}${name}.html`;
}

const hosts = () => [...document.querySelectorAll<HTMLElement>(".fe-mount")];

/** A lab's name in the page's fragment: `focus`, and for the next of its kind on the page `focus-2`. */
function fragmentName(host: HTMLElement): string {
  const name = host.dataset.lab!;
  const nth = hosts().filter((other) => other.dataset.lab === name).indexOf(host);
  return nth > 0 ? `${name}-${nth + 1}` : name;
}

/** The settings that the page's link makes. One that was cut short or makes no sense keeps its default. */
function readFragment(name: string, rules: Rules): Traits {
  const fields = new URLSearchParams(location.hash.slice(1));
  const found: Traits = {};
  for (const [trait, rule] of Object.entries(rules)) {
    try {
      const value = JSON.parse(fields.get(`${name}.${trait}`) ?? "");
      if (allows(rule, value)) found[trait] = value;
    } catch { /* not named, or cut short */ }
  }
  return found;
}

function writeFragment(name: string, traits: readonly string[], model: PageModel, defaults: Traits): void {
  const fields = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  for (const trait of traits) {
    const text = JSON.stringify(model.get(trait));
    if (text === JSON.stringify(defaults[trait])) fields.delete(`${name}.${trait}`);
    else fields.set(`${name}.${trait}`, text);
  }
  // Brackets and commas may stand in a fragment as they are; escaped they make a link that nobody can read.
  const text = fields.toString().replaceAll("%5B", "[").replaceAll("%5D", "]").replaceAll("%2C", ",").replaceAll("%22", '"');
  history.replaceState(history.state, "", text ? `#${text}` : location.pathname + location.search);
}

async function fetchBytes(url: string): Promise<DataView> {
  const answer = await fetch(new URL(url, document.baseURI)).catch(() => null);
  if (!answer?.ok) throw new Error(answer ? `the server has no ${url} (${answer.status})` : "a file did not come: is there a connection?");
  return new DataView(await answer.arrayBuffer());
}

/** Mount one lab. Its still picture stays for paper; the function that is returned unmounts the lab. */
export async function mount(host: HTMLElement): Promise<() => void> {
  const description: Description = JSON.parse(host.querySelector('script[type="application/json"]')!.textContent!);
  const module = await import(new URL(description.esm, document.baseURI).href);
  const name = fragmentName(host);
  const defaults = description.state;
  const rules = defaults._rules;
  const traits = Object.keys(rules);
  const empty = Object.fromEntries(Object.keys(description.buffers).map((trait) => [trait, null]));
  const linked = readFragment(name, rules);
  const model = new PageModel({ ...defaults, ...empty }, linked, description.files, description.pages);

  let writing = 0;
  const write = () => {
    writing = 0;
    writeFragment(name, traits, model, defaults);
  };
  const changed = () => {
    writing ||= setTimeout(write, 250); // browsers refuse a history entry a frame
  };
  model.link = () => {
    write();
    return location.href;
  };
  const el = h("div", { class: "fe-live" });
  const life = new AbortController();
  if (!Object.keys(linked).length) keepPlace(el, host.querySelector(".fe-still"), life.signal);
  const unrender = module.default.render({ model, el });
  host.append(el);
  const failed = Promise.all(Object.entries(description.buffers).map(async ([trait, url]) => model.set(trait, await fetchBytes(url))))
    .then(() => null, (error) => error);
  await firstResults(el);
  host.dataset.state = "ready";
  for (const trait of traits) model.on(`change:${trait}`, changed);
  // A link to another view, or Back: what it does not name has its default. A section's anchor names no view.
  const followed = () => {
    if (location.hash && !location.hash.includes("=")) return;
    const linked = readFragment(name, rules);
    for (const trait of traits) model.set(trait, linked[trait] ?? defaults[trait]);
  };
  addEventListener("hashchange", followed);
  failed.then((error) => { if (error) say(host, error, "This lab's data could not be fetched: reload the page."); });
  return () => {
    clearTimeout(writing);
    life.abort();
    removeEventListener("hashchange", followed);
    for (const trait of traits) model.off(`change:${trait}`, changed);
    unrender?.();
    el.remove();
    host.dataset.state = "unmounted";
  };
}

/** Until its first results are there, two seconds at most, a lab stays behind its picture, where it moves nothing. */
async function firstResults(el: HTMLElement): Promise<void> {
  const latest = performance.now() + 2000;
  do await new Promise(requestAnimationFrame);
  while (el.querySelector("[aria-busy=true]") && performance.now() < latest);
}

/** Until the reader does something, a lab is as high as its picture, though some of its data come later. */
function keepPlace(el: HTMLElement, still: HTMLElement | null, signal: AbortSignal): void {
  if (!still?.offsetHeight) return;
  el.style.minHeight = `${still.offsetHeight}px`;
  const free = () => { el.style.minHeight = ""; };
  for (const event of ["pointerdown", "keydown", "resize"]) addEventListener(event, free, { once: true, signal });
}

function say(host: HTMLElement, error: unknown, text: string): void {
  console.error(error);
  host.append(h("p", { class: "fe-failed" }, text));
}

const nearViewport = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    const host = target as HTMLElement;
    if (!isIntersecting) continue;
    nearViewport.unobserve(host);
    mount(host).catch((error) => {
      host.dataset.state = "failed";
      say(host, error, "This lab could not be started here; the picture shows its first view.");
    });
  }
}, { rootMargin: "600px" });

for (const host of hosts()) nearViewport.observe(host);

// A link to a view leads to its lab, which then comes near the viewport.
hosts().find((host) => location.hash.includes(`${fragmentName(host)}.`))?.scrollIntoView({ block: "start" });
