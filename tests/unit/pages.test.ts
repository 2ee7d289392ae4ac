import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { alerts } from "../../monitoring-mixin/alerts/index.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import { blocks, commands, fences, type Page, pages, root } from "../pages.ts";

const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

test.each(pages())("the links of $file lead somewhere", (page) => {
  const broken = links(page).filter((link) => !resolves(page, link));
  expect(broken).toEqual([]);
});

test.each(pages())("the commands of $file are a shell's, and those of npm are there", (page) => {
  for (const { info } of fences(page)) {
    // Everything else than a shell is named: a block without a name could be one.
    expect(info, "```sh, ```sh cloud, or the language").toMatch(
      /^(|sh|sh cloud|json|yaml|ts|mermaid|groovy|go|text)$/,
    );
  }
  for (const block of blocks(page)) {
    execFileSync("bash", ["-n"], { input: block.text, stdio: ["pipe", "ignore", "pipe"] });
    for (const command of commands(block)) {
      for (const [, script = ""] of command.matchAll(/\bnpm run (?:--silent )?([a-z:-]+)/g)) {
        expect(scripts, command).toHaveProperty(script);
      }
      if (!block.cloud)
        expect(command, "mark the block: ```sh cloud").not.toMatch(/^(gcloud|pulumi|kubectl)\b/);
    }
  }
});

test("docs/operations.md says what to do for each alert", () => {
  const operations = pages().find(({ file }) => file === "docs/operations.md")?.text ?? "";
  const titles = alerts(DEFAULT_THRESHOLDS).map(({ name }) => name);
  expect(titles.length).toBeGreaterThan(0);
  const headings = [...operations.matchAll(/^### (.+)$/gm)].map(([, title]) => title);
  expect(headings).toEqual(expect.arrayContaining(titles));
});

test("README switches on Compute Engine, which brings the VPC default, before it changes that VPC", () => {
  const readme = pages().find(({ file }) => file === "README.md");
  if (readme === undefined) throw new Error("no README.md");
  const all = blocks(readme).flatMap(commands);
  const first = (words: string) => all.findIndex((command) => command.includes(words));
  expect(first("gcloud services enable compute.googleapis.com")).toBeGreaterThanOrEqual(0);
  expect(first("gcloud services enable compute.googleapis.com")).toBeLessThan(
    first("gcloud compute networks update default"),
  );
});

test("README tells of each command of package.json that is for people", () => {
  const readme = pages().find(({ file }) => file === "README.md")?.text ?? "";
  const told = [...readme.matchAll(/^\| `npm (?:run )?([a-z-]+)[^`]*`/gm)].map(([, name]) => name);
  expect(told.toSorted()).toEqual(
    Object.keys(scripts)
      .filter((name) => !name.includes(":"))
      .toSorted(),
  );
});

test("npm run help has a line for each of them", () => {
  const said = execFileSync("npm", ["run", "--silent", "help"], { cwd: root, encoding: "utf8" });
  for (const name of Object.keys(scripts).filter((name) => !name.includes(":"))) {
    expect(said).toMatch(new RegExp(`^npm (run )?${name}\\b.* {2,}\\S`, "m"));
  }
});

/** Links to files and headings; those to other sites are not looked up. */
function links({ text }: Page): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function resolves({ file, text }: Page, link: string): boolean {
  const [target = "", anchor] = link.split("#");
  const full = target === "" ? path.join(root, file) : path.resolve(root, path.dirname(file), target);
  if (!existsSync(full)) return false;
  if (anchor === undefined) return true;
  return headings(target === "" ? text : readFileSync(full, "utf8")).includes(anchor);
}

/** The anchors that GitHub gives to headings. */
function headings(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, "");
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
