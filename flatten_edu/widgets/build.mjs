// Bundles each lab into one ES module and one style sheet, and the page's mount script, all in static/.
// `--check` builds in memory instead and fails where a committed bundle differs from its source.
import { build } from "esbuild";
import { readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const labs = await readdir(path.join(here, "src/labs"));
const source = (...parts) => path.join(here, "src", ...parts);
const entryPoints = [
  { in: source("mount.ts"), out: "mount" },
  ...labs.map((name) => ({ in: source("labs", name, "index.ts"), out: name })),
  ...labs.map((name) => ({ in: source("labs", name, "style.css"), out: name })),
];

/** `import SOURCE from "./worker?worker"`: a worker's own bundle as a string, so that a lab stays one file. */
const workers = {
  name: "workers",
  setup(bundler) {
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path: file, suffix }) => {
      if (suffix !== "?worker") return undefined;
      const { outputFiles: [{ text }] } = await build({
        entryPoints: [file], bundle: true, format: "iife", target: "es2022", minify: true, legalComments: "none", write: false,
      });
      return { contents: text, loader: "text" };
    });
  },
};

const { outputFiles } = await build({
  entryPoints,
  plugins: [workers],
  outdir: path.join(here, "static"),
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  banner: { js: "/* Built by `make js` from flatten_edu/widgets/src. With d3 modules: see THIRD_PARTY.txt. */" },
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
