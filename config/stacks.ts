import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

/** A stack and its configuration, without the project's prefix of the keys. */
export interface Stack {
  name: string;
  raw: unknown;
}

/** Google's rule for the values of labels (cloud.google.com/compute/docs/labeling-resources). */
const LABEL_VALUE = /^[a-z0-9_-]{1,63}$/;

/** Names of the stacks that have a file in the folder, in alphabetical order. */
export function stackNames(folder: string): string[] {
  return readdirSync(folder)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .toSorted();
}

/**
 * The stacks that have a file in the folder.
 *
 * @param project - Pulumi's project, the namespace of the keys
 */
export function readStacks(folder: string, project: string): Stack[] {
  return stackNames(folder).map((name) => {
    const file = parse(readFileSync(path.join(folder, `Pulumi.${name}.yaml`), "utf8")) as {
      config?: Record<string, unknown>;
    } | null;
    const own = Object.entries(file?.config ?? {}).filter(([key]) => key.startsWith(`${project}:`));
    return {
      name,
      raw: Object.fromEntries(own.map(([key, value]) => [key.slice(project.length + 1), value])),
    };
  });
}

/** A stack's names in Google Cloud: the prefix, and the network's. */
const NAMES = [
  { path: ["cluster", "name"], of: (raw: unknown) => valueAt(raw, ["cluster", "name"]) },
  {
    path: ["network", "name"],
    of: (raw: unknown) => valueAt(raw, ["network", "name"]) ?? valueAt(raw, ["cluster", "name"]),
  },
];

/**
 * Problems of a stack beside others: two stacks of one Google project with the same names would take each other's
 * resources.
 *
 * @param others - stacks with a file beside this one's
 */
export function checkStacks({ name, raw }: Stack, others: Stack[]): Problem[] {
  const label = LABEL_VALUE.test(name)
    ? []
    : [
        {
          path: ["(the stack's name)"],
          was: name,
          allowed:
            "a name that can be a label at Google: 1 to 63 lower-case letters, digits, dashes and underscores",
        },
      ];
  const project = valueAt(raw, ["project"]);
  const sameProject = others.filter(
    (other) => other.name !== name && valueAt(other.raw, ["project"]) === project,
  );
  const taken = NAMES.flatMap(({ path: key, of }) => {
    const was = of(raw);
    const other = was === undefined ? undefined : sameProject.find((one) => of(one.raw) === was);
    if (other === undefined) return [];
    const allowed = `a name that no other stack of the project ${String(project)} has; it is Pulumi.${other.name}.yaml's`;
    return [{ path: key, was, allowed }];
  });
  return [...label, ...taken];
}
