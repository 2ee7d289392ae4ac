import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { readStacks } from "../../config/stacks.ts";
import { exitWithUsage, readCommandLine } from "../../lib/command-line.ts";
import { PROJECT, stackFile, type Answers } from "./stack-file.ts";

const USAGE = `npm run new-stack -- NAME --project PROJECT --region REGION --ci-range CIDR... [--zone ZONE] [--peer VPC...]
    [--nodes N] [--prometheus-gb GIB]
  NAME             name of the stack, the cluster and the network, and prefix of the names of disks and addresses
  --project        Google project ID
  --region         Google region, e.g. us-central1
  --zone           Google zone; by default zone b of the region
  --ci-range       IPv4 range of the CI hosts; may be repeated
  --peer           VPC of the CI hosts in the project, e.g. default; may be repeated
  --nodes          number of nodes; by default 2. With a single node, pushes fail while the node is replaced
  --prometheus-gb  size of Prometheus' disk in GiB; by default 200, for five years
On a terminal it prompts for missing values.`;

/** Prompts for a missing value. Without a terminal, exits with an error and the usage. */
async function prompt(question: string, option: string): Promise<string> {
  if (!process.stdin.isTTY) exitWithUsage(`--${option} is missing`, USAGE);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question}: `);
  terminal.close();
  return answer.trim();
}

function parseOptions(args: string[]) {
  return readCommandLine({
    args,
    usage: USAGE,
    options: {
      project: { type: "string" },
      region: { type: "string" },
      zone: { type: "string" },
      "ci-range": { type: "string", multiple: true },
      peer: { type: "string", multiple: true },
      nodes: { type: "string" },
      "prometheus-gb": { type: "string" },
    },
    positionals: [1, 1],
  });
}

/**
 * Parses the digits of an option. Returns other text unchanged, so that the validation of the stack's file reports it
 * together with the other problems.
 */
function numberOf(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}

async function answers({ values, positionals }: ReturnType<typeof parseOptions>): Promise<Answers> {
  const [name = ""] = positionals;
  const project = values.project ?? (await prompt("Google project ID", "project"));
  const region = values.region ?? (await prompt("Google region, e.g. us-central1", "region"));
  // Doesn't prompt if the option's value is empty, e.g. an unset shell variable: the file's validation rejects it.
  const ciRanges =
    values["ci-range"] ??
    (await prompt("IPv4 ranges of the CI hosts, e.g. 10.128.0.0/20", "ci-range")).split(/[\s,]+/);
  return {
    name,
    project,
    region,
    zone: values.zone,
    ciRanges,
    peers: values.peer ?? [],
    nodes: numberOf(values.nodes),
    prometheusGb: numberOf(values["prometheus-gb"]),
  };
}

function nextSteps({ name, project, region }: Answers): string {
  return `Wrote Pulumi.${name}.yaml. Next steps:
  1. Edit the nodes (cluster), the disks (disks) and the alerts (alerts) in the file. A disk can't be made smaller later.
     Without network.peers or network.vpc, only CI hosts in the stack's own VPC can connect.
     docs/configuration.md describes all keys.
  2. Check the file:
     npm run check
     Then commit it with tests/unit/golden/${name}.yaml, which the check creates.
  3. Create a state bucket and a key (docs/deploy.md, step 2, without its "pulumi stack init"), or use those of another
     stack in the project: its bucket, and the key in its file (secretsprovider). Log in to the bucket, and run:
     pulumi stack init ${name} --secrets-provider gcpkms://projects/${project}/locations/${region}/keyRings/pulumi/cryptoKeys/state
     Then set the secrets of the receivers of alerts (docs/alerts.md), and commit the file again.
  4. Create the GitHub environments ${name} (with reviewers) and preview-${name} with their variables
     (docs/github.md).
  5. Open a pull request: its workflow previews the stack, and the merge applies it.`;
}

/**
 * Writes the file of a new stack. On a terminal it prompts for missing values. Exits with the usage if options are
 * missing or unknown.
 *
 * @param args - arguments of the command line
 * @param directory - the project's directory, with the other stacks' files
 * @returns the next steps, to be printed
 * @throws ConfigError with all wrong values; Error if the file exists
 */
export async function newStack(args: string[], directory: string): Promise<string> {
  const answered = await answers(parseOptions(args));
  const file = path.join(directory, `Pulumi.${answered.name}.yaml`);
  try {
    await writeFile(file, stackFile(answered, readStacks(directory, PROJECT)), { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new Error(`${file} exists already: choose another stack name, or edit the file.`, { cause });
  }
  return nextSteps(answered);
}
