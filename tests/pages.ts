import { readFileSync } from "node:fs";
import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** A page for people. */
export interface Page {
  /** Path from the project's folder. */
  file: string;
  text: string;
}

/** A block of commands. */
export interface Block {
  file: string;
  /** Whether it needs Google's cloud, by its mark: ```sh cloud. */
  cloud: boolean;
  text: string;
}

/** Every page of the project. */
export function pages(): Page[] {
  const docs = readdirSync(path.join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`);
  const others = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "policy/README.md",
    "local/google/README.md",
  ];
  return [...others, ...docs].map((file) => ({ file, text: readFileSync(path.join(root, file), "utf8") }));
}

/** The blocks of a shell's commands on a page. */
export function blocks({ file, text }: Page): Block[] {
  return fences({ file, text })
    .filter(({ info }) => /^(sh|bash|shell)\b/.test(info))
    .map(({ info, body }) => ({ file, cloud: /\bcloud\b/.test(info), text: body }));
}

/** Everything between ``` and ```, with the words after the first of them. */
export function fences({ text }: Page): { info: string; body: string }[] {
  return [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, info = "", body = ""]) => ({
    info,
    body,
  }));
}

/** A block's commands, one each: lines that end with a backslash go on, comments are left out. */
export function commands({ text }: Block): string[] {
  return text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
