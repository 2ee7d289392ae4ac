import { rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { contentKey, ensureCached } from "./cache.ts";
import { withoutDigest } from "./names.ts";

/** Arguments of pullImages. */
export interface PullOptions {
  /** Cache directory of built tools and images. */
  cacheDir: string;
  /** Progress callback, called with one line before each image that is not cached. @default no output */
  report?: (line: string) => void;
  /**
   * File with registry mirrors in the format of containers-registries.conf(5).
   * @default environment variable CONTAINERS_REGISTRIES_CONF, or the system's own file
   */
  registriesConf?: string;
}

/** Reports whether the local cloud runs the official images of versions.ts (K8SFV_OFFICIAL_IMAGES=true). */
export function runsOfficialImages(): boolean {
  return process.env.K8SFV_OFFICIAL_IMAGES === "true";
}

/** Number of times that skopeo retries a request. If the response has a Retry-After header, skopeo waits that long. */
const RETRIES = 1;
/** Maximum number of pulls of one image: skopeo does not retry when a connection breaks within a layer. */
const TRIES = 3;
const BROKEN_OFF = /connection refused|no such host|i\/o timeout|EOF|reset by peer|TLS handshake/i;
/** Timeout of one pull in milliseconds. Grafana's image has about 200 MB. */
const TIMEOUT_MS = 15 * 60_000;

/** Known failures by skopeo's output, each with a reason and a cure. */
const FAILURES: [words: RegExp, reason: string, cure: string][] = [
  [
    /manifest unknown|name unknown|not found|requested access to the resource is denied/i,
    "the registry has no such image",
    "check the image in versions.ts",
  ],
  [
    /does not match|digest mismatch|unexpected digest|mismatch/i,
    "the image in the registry does not have this digest",
    "don't run the image: the tag was moved, or a mirror or proxy serves another image",
  ],
  [/toomanyrequests|429/i, "the registry's rate limit is exceeded", "wait, then retry"],
  [
    BROKEN_OFF,
    "the registry can't be reached, or the connection broke",
    "check the network and proxy settings, then retry",
  ],
];

/**
 * Pulls images from their registries with skopeo, by digest if the name contains one, and caches them.
 *
 * @param names full image references with a tag and an optional digest
 * @returns archives for `ctr images import`; images are named without digests
 * @throws Error that names the image, the reason and the cure
 */
export async function pullImages(names: readonly string[], options: PullOptions): Promise<string[]> {
  const archives: string[] = [];
  // Pulls one image at a time, because registries limit the rate of anonymous pulls.
  for (const name of names) archives.push(await pullImage(name, options));
  return archives;
}

async function pullImage(
  name: string,
  { cacheDir, report, registriesConf = process.env.CONTAINERS_REGISTRIES_CONF }: PullOptions,
): Promise<string> {
  const folder = await ensureCached(cacheDir, `official-${contentKey([{ name }])}`, async (out) => {
    report?.(`pulling ${name}`);
    const target = `docker-archive:${path.join(out, ARCHIVE)}:${withoutDigest(name)}`;
    const mirrors = registriesConf === undefined ? [] : [`--registries-conf=${registriesConf}`];
    const args = [
      ...mirrors,
      "copy",
      "--quiet",
      `--retry-times=${RETRIES}`,
      `docker://${source(name)}`,
      target,
    ];
    for (let tries = 1; ; tries++) {
      try {
        await execa("skopeo", args, { stdin: "ignore", timeout: TIMEOUT_MS });
        return;
      } catch (error) {
        const output = String((error as { stderr?: unknown }).stderr ?? error);
        const isOver = tries === TRIES || !BROKEN_OFF.test(output);
        if (isOver) throw new Error(problem(name, output), { cause: error });
      }
      await rm(path.join(out, ARCHIVE), { force: true });
      await sleep(tries * 1000);
    }
  });
  return path.join(folder, ARCHIVE);
}

const ARCHIVE = "image.tar";

/** Returns the image reference for skopeo, which accepts a tag or a digest but not both. */
function source(name: string): string {
  const [tagged = "", digest] = name.split("@");
  return digest === undefined ? tagged : `${tagged.replace(/:[^:/]+$/, "")}@${digest}`;
}

function problem(name: string, output: string): string {
  const known = FAILURES.find(([words]) => words.test(output));
  if (known !== undefined) return `Cannot pull ${name}: ${known[1]}. Cure: ${known[2]}.`;
  const last = output.trim().split("\n").at(-1) ?? "";
  return `Cannot pull ${name}: ${last === "" ? "skopeo printed nothing" : last}`;
}
