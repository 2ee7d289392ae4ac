import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { alerts } from "../../monitoring-mixin/alerts/index.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import {
  blocks,
  checkShellSyntax,
  commands,
  fences,
  type Page,
  page,
  pages,
  prose,
  root,
  tableRows,
} from "../pages.ts";

const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

test.each(pages())("$file has no broken links to files and headings", (page) => {
  const broken = links(page).filter((link) => !resolves(page, link));
  expect(broken).toEqual([]);
});

test("README.md links to every page of docs, and is short", () => {
  const readme = page("README.md");
  const linked = links(readme).map((link) => link.split("#")[0]);
  const docs = pages().filter(({ file }) => file.startsWith("docs/"));
  expect(linked).toEqual(expect.arrayContaining(docs.map(({ file }) => file)));
  expect(readme.text.split("\n").length).toBeLessThanOrEqual(151);
});

/**
 * Matches the start of a sentence that begins with "What", "Who" or "Those that", for example. CONTRIBUTING.md, section
 * "Language", forbids such sentences.
 */
const HEADLESS = /^(what|who|whom|whose|those (that|which|who|of)|of (those|these|what|which|each))\b/i;
/** All pages except docs/configuration.md, whose text is generated from config/schema.ts. */
const written = pages().filter(({ file }) => file !== "docs/configuration.md");

const DIRECTORIES =
  "bench|components|config|docs|eslint-rules|lib|local|monitoring-mixin|packages|policy|tests|tools|\\.github";

// Each path is checked up to its first placeholder or glob.
test.each(pages())("$file names only files and directories that exist", (page) => {
  const named = [...prose(page).matchAll(new RegExp(`\`((?:${DIRECTORIES})/[^\` ]*)\``, "g"))];
  const missing = named
    .map(([, name = ""]) => name.replace(/[^/]*(?:\*|NAME).*$/, ""))
    .filter((name) => !existsSync(path.join(root, name)));
  expect(missing).toEqual([]);
});

// Tables are not checked, because their cells need not be sentences.
test.each(written)("$file has no sentence that begins with a headless relative clause", (page) => {
  const text = prose(page).replaceAll(/^\|.*$/gm, "");
  const paragraphs = text
    .split(/\n\n|^ *(?:[-*]|\d+\.|#+) /m)
    .map((paragraph) => paragraph.replaceAll("**", ""));
  const sentences = paragraphs.flatMap((paragraph) => paragraph.trim().split(/(?<=[.:!?])\s+/));
  expect(sentences.filter((sentence) => HEADLESS.test(sentence) && !sentence.endsWith("?"))).toEqual([]);
});

test.each(pages())("$file contains valid shell commands and existing npm scripts", (page) => {
  for (const { info } of fences(page)) {
    // A block in another language could contain commands that are not checked.
    expect(info, "```sh, ```sh cloud, or the language").toMatch(
      /^(|sh|sh cloud|json|yaml|ts|mermaid|groovy|go|text)$/,
    );
  }
  checkShellSyntax(blocks(page).map(({ text }) => text));
  for (const block of blocks(page)) {
    for (const command of commands(block)) {
      for (const [, script = ""] of command.matchAll(/\bnpm run (?:--silent )?([a-z:-]+)/g)) {
        expect(scripts, command).toHaveProperty(script);
      }
      if (!block.cloud)
        expect(command, "mark the block: ```sh cloud").not.toMatch(/^(gcloud|pulumi|kubectl)\b/);
    }
  }
});

test("docs/operations.md has a section and a table row for each alert", () => {
  const operations = page("docs/operations.md");
  const names = alerts(DEFAULT_THRESHOLDS).map(({ name }) => name);
  expect(names.length).toBeGreaterThan(0);
  const sections = [...operations.text.matchAll(/^### (.+)$/gm)].map(([, title]) => title);
  expect(sections.toSorted()).toEqual(names.toSorted());
  const rows = tableRows(operations).map(([link = ""]) => link.replace(/^\[(.+)\].*$/, "$1"));
  expect(rows.slice(1).toSorted()).toEqual(names.toSorted());
});

test("docs/deploy.md enables Compute Engine, which creates the VPC default, before it changes that VPC", () => {
  const all = blocks(page("docs/deploy.md")).flatMap(commands);
  const first = (words: string) => all.findIndex((command) => command.includes(words));
  expect(first("gcloud services enable compute.googleapis.com")).toBeGreaterThanOrEqual(0);
  expect(first("gcloud services enable compute.googleapis.com")).toBeLessThan(
    first("gcloud compute networks update default"),
  );
});

test("docs/commands.md lists the npm scripts that people run", () => {
  const { text } = page("docs/commands.md");
  const listed = [...text.matchAll(/^\| `npm (?:run )?([a-z-]+)[^`]*`/gm)].map(([, name]) => name);
  expect(listed.toSorted()).toEqual(
    Object.keys(scripts)
      .filter((name) => !name.includes(":"))
      .toSorted(),
  );
});

test("npm run help prints a line for each npm script that people run", () => {
  // npm adds this directory to PATH as well when it runs a script.
  const env = { ...process.env, PATH: `${path.join(root, "node_modules/.bin")}:${process.env.PATH ?? ""}` };
  const printed = execFileSync("sh", ["-c", scripts["help"] ?? ""], { cwd: root, encoding: "utf8", env });
  for (const name of Object.keys(scripts).filter((name) => !name.includes(":"))) {
    expect(printed).toMatch(new RegExp(`^npm (run )?${name}\\b.* {2,}\\S`, "m"));
  }
});

/** Returns the links to files and headings. Links to other sites are not checked. */
function links(page: Page): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function resolves({ file, text }: Page, link: string): boolean {
  const [target = "", anchor] = link.split("#");
  const full = target === "" ? path.join(root, file) : path.resolve(root, path.dirname(file), target);
  if (!existsSync(full)) return false;
  if (anchor === undefined) return true;
  return anchors({ file: target, text: target === "" ? text : readFileSync(full, "utf8") }).includes(anchor);
}

/** Returns the anchors that GitHub creates for the headings of a page. */
function anchors(page: Page): string[] {
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
