import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

/** A stack with its configuration; the keys are without the project's namespace. */
export interface Stack {
  name: string;
  raw: unknown;
}

/** Google Cloud's rule for label values (cloud.google.com/compute/docs/labeling-resources). */
const LABEL_VALUE = /^[a-z0-9_-]{1,63}$/;

/** Returns the names of the stacks that have a file in the directory, in alphabetical order. */
export function stackNames(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .toSorted();
}

/**
 * Returns the stacks that have a file in the directory.
 *
 * @param project name of the Pulumi project, which is the namespace of the keys
 */
export function readStacks(directory: string, project: string): Stack[] {
  return stackNames(directory).map((name) => {
    const file = parse(readFileSync(path.join(directory, `Pulumi.${name}.yaml`), "utf8")) as {
      config?: Record<string, unknown>;
    } | null;
    const own = Object.entries(file?.config ?? {}).filter(([key]) => key.startsWith(`${project}:`));
    return {
      name,
      raw: Object.fromEntries(own.map(([key, value]) => [key.slice(project.length + 1), value])),
    };
  });
}

/** Configuration keys whose value is the name, or the prefix of the name, of resources in Google Cloud. */
const NAMES = [
  { path: ["cluster", "name"], of: (raw: unknown) => valueAt(raw, ["cluster", "name"]) },
  {
    path: ["network", "name"],
    of: (raw: unknown) => valueAt(raw, ["network", "name"]) ?? valueAt(raw, ["cluster", "name"]),
  },
];

/**
 * Checks that the stack's name is a valid label value, and that no other stack of its Google Cloud project has the same
 * cluster or network name. Such stacks would manage the same resources.
 *
 * @param others stacks that have a file in the same directory
 */
export function checkStacks({ name, raw }: Stack, others: Stack[]): Problem[] {
  const label = LABEL_VALUE.test(name)
    ? []
    : [
        {
          path: ["(stack name)"],
          value: name,
          allowed:
            "a valid label value of Google Cloud: 1 to 63 lower-case letters, digits, dashes and underscores",
        },
      ];
  const project = valueAt(raw, ["project"]);
  const sameProject = others.filter(
    (other) => other.name !== name && valueAt(other.raw, ["project"]) === project,
  );
  const taken = NAMES.flatMap(({ path: key, of }) => {
    const value = of(raw);
    const other = value === undefined ? undefined : sameProject.find((one) => of(one.raw) === value);
    if (other === undefined) return [];
    const allowed = `a name that no other stack of the project ${String(project)} has; Pulumi.${other.name}.yaml has it`;
    return [{ path: key, value, allowed }];
  });
  return [...label, ...taken];
}
