import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Directory of the project. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** A page of the documentation. */
export interface Page {
  /** Path relative to the project's directory. */
  file: string;
  text: string;
}

/** A block of shell commands on a page. */
export interface Block {
  file: string;
  /** Whether the commands need Google Cloud: the block begins with ```sh cloud. */
  cloud: boolean;
  text: string;
}

/** A fenced block, with or without indentation. The groups: indentation, info string, body. */
const FENCE = /^( *)```([^\n]*)\n([\s\S]*?)^\1```$/gm;

/** Returns all pages of the documentation. */
export function pages(): Page[] {
  const docs = readdirSync(path.join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`);
  const others = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "policy/README.md",
    "packages/local-cloud/README.md",
    "packages/local-cloud/google/README.md",
    "packages/local-cloud/grafana/README.md",
  ];
  return [...others, ...docs].map(page);
}

/** Returns one page. Throws if it doesn't exist. */
export function page(file: string): Page {
  return { file, text: readFileSync(path.join(root, file), "utf8") };
}

/** Returns the blocks of shell commands on a page. */
export function blocks({ file, text }: Page): Block[] {
  return fences({ file, text })
    .filter(({ info }) => /^(sh|bash|shell)\b/.test(info))
    .map(({ info, body }) => ({ file, cloud: /\bcloud\b/.test(info), text: body }));
}

/** Returns all fenced blocks of a page: info string and body, without indentation. */
export function fences({ text }: Page): { info: string; body: string }[] {
  return [...text.matchAll(FENCE)].map(([, indentation = "", info = "", body = ""]) => ({
    info,
    body: body.replaceAll(new RegExp(`^${indentation}`, "gm"), ""),
  }));
}

/** Returns the text of a page without its fenced blocks. */
export function prose({ text }: Page): string {
  return text.replaceAll(FENCE, "");
}

/** Returns the rows of all tables of a page, as cells; header rows are included, delimiter rows are not. */
export function tableRows(page: Page): string[][] {
  return [...prose(page).matchAll(/^\|(.+)\|$/gm)]
    .map(([, row = ""]) => row.split("|").map((cell) => cell.trim()))
    .filter((cells) => !cells.every((cell) => /^:?-+:?$/.test(cell)));
}

/** Returns the commands of a block. Lines that end with a backslash are joined; comments are omitted. */
export function commands({ text }: Block): string[] {
  return text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/**
 * Checks the syntax of shell scripts without running them.
 *
 * @throws Error with Bash's message for the first script with a syntax error
 */
export function checkShellSyntax(scripts: string[]): void {
  // A single child process starts the others, because starting one from the large test process takes 10 ms.
  const check = 'for script; do bash -n <<< "$script" || exit; done';
  execFileSync("bash", ["-c", check, "bash", ...scripts], { stdio: ["ignore", "ignore", "pipe"] });
}
