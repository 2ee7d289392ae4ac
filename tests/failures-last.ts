import { stripVTControlCharacters } from "node:util";
import type { Reporter, SerializedError, TestModule, TestSuite } from "vitest/node";

/** Maximum number of lines of an error that are printed again. */
const MAX_LINES = 6;
/** Maximum length, in characters, of each line that is printed again. */
const MAX_LENGTH = 240;

/**
 * Prints the failed tests and the cause of each again, after Vitest's own summary. CI services and people look at the
 * end of a log first, and an error of `pulumi up` can be hundreds of lines long.
 */
export class FailuresLast implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    for (const error of unhandled) print("outside a test", [error]);
    for (const module of modules) {
      print(module.relativeModuleId, module.errors());
      for (const suite of module.children.allSuites()) print(titleOf(module, suite), suite.errors());
      for (const test of module.children.allTests("failed"))
        print(titleOf(module, test), test.result().errors ?? []);
    }
  }
}

function titleOf(module: TestModule, { fullName }: Pick<TestSuite, "fullName">): string {
  return `${module.relativeModuleId} > ${fullName}`;
}

function print(title: string, errors: readonly Pick<SerializedError, "message">[]): void {
  for (const { message } of errors) console.error([`FAILED ${title}`, ...causeOf(message)].join("\n  "));
}

/** Returns the last lines of a message that mention an error, or its first lines if none does. */
export function causeOf(message: string): string[] {
  const lines = stripVTControlCharacters(message)
    .split("\n")
    .map((line) => line.trim().slice(0, MAX_LENGTH))
    .filter((line) => line !== "");
  const causes = lines.filter((line) => /\berror\b|fail|refus|reject|denied|timed? ?out/i.test(line));
  return causes.length > 0 ? [...new Set(causes)].slice(-MAX_LINES) : lines.slice(0, MAX_LINES);
}
