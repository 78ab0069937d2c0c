// Bundles each lab into one ES module and one style sheet, and the page's own scripts, all in static/.
// `--check` builds in memory instead and fails where a committed bundle differs from its source.
import { build } from "esbuild";
import { existsSync } from "node:fs";
import { readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const folders = (await readdir(here, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
const labs = folders.filter((name) => name !== "frame" && existsSync(path.join(here, name, "index.ts"))).sort();
const source = (...parts) => path.join(here, ...parts);
const entryPoints = [
  { in: source("frame/mount.ts"), out: "mount" },
  { in: source("frame/plots.ts"), out: "plots" },
  ...labs.map((name) => ({ in: source(name, "index.ts"), out: name })),
  ...labs.map((name) => ({ in: source(name, "style.css"), out: name })),
];

const target = "es2022";
const loader = { ".wgsl": "text" };
// `import code from "worker:./worker.ts"` gives that file's bundle as a string, so that a lab with a worker is one file.
const workers = {
  name: "workers",
  setup(bundler) {
    const found = ({ path: file, resolveDir }) => ({ path: path.join(resolveDir, file.slice("worker:".length)), namespace: "worker" });
    bundler.onResolve({ filter: /^worker:/ }, found);
    bundler.onLoad({ filter: /./, namespace: "worker" }, async ({ path: file }) => {
      const bundle = await build({ entryPoints: [file], bundle: true, format: "iife", target, loader, minify: true, write: false });
      return { contents: bundle.outputFiles[0].text, loader: "text" };
    });
  },
};

// A lab's own rules are for that lab: a page may hold several, whose classes have the same names.
const scoped = {
  name: "scoped",
  setup(bundler) {
    bundler.onLoad({ filter: /style\.css$/ }, async ({ path: file }) => {
      const lab = path.basename(path.dirname(file));
      return { contents: (await readFile(file, "utf8")).replaceAll(".fe-lab", `.fe-lab[data-lab="${lab}"]`), loader: "css" };
    });
  },
};

const { outputFiles } = await build({
  entryPoints,
  outdir: path.join(here, "static"),
  bundle: true,
  format: "esm",
  target,
  loader,
  plugins: [workers, scoped],
  minify: true,
  legalComments: "none",
  banner: { js: "/* Built by `make js` from flatten_edu/labs. With d3 modules: see THIRD_PARTY.txt. */" },
  write: false,
});

let stale = 0;
for (const { path: file, contents } of outputFiles) {
  if (!process.argv.includes("--check")) {
    await writeFile(file, contents);
    console.log(`${path.relative(process.cwd(), file)}  ${contents.length} bytes`);
  } else if (!Buffer.from(contents).equals(await readFile(file).catch(() => Buffer.alloc(0)))) {
    console.error(`${path.relative(process.cwd(), file)} differs from its source: run make js and commit it`);
    stale += 1;
  }
}
process.exitCode = stale ? 1 : 0;
