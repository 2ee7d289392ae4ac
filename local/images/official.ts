import { rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { contentKey, inCache } from "./cache.ts";
import { withoutDigest } from "./names.ts";

/** Arguments of pullImages. */
export interface PullOptions {
  /** The cache of built tools and images. */
  cacheDir: string;
  /** Called with one line before each image that is not in the cache. @default silent */
  report?: (line: string) => void;
  /**
   * Registries' mirrors, a file in the format of containers-registries.conf.
   * @default the environment variable CONTAINERS_REGISTRIES_CONF, or the machine's own file
   */
  registriesConf?: string;
}

/** Whether the local cloud runs the images of versions.ts as their projects publish them: K8SFV_OFFICIAL_IMAGES=true. */
export function runsOfficialImages(): boolean {
  return process.env.K8SFV_OFFICIAL_IMAGES === "true";
}

/** How often skopeo tries again after a failed request. It waits as long as Retry-After says. */
const RETRIES = 1;
/** How often an image is pulled: skopeo doesn't try again when the connection breaks off within a layer. */
const TRIES = 3;
const BROKEN_OFF = /connection refused|no such host|i\/o timeout|EOF|reset by peer|TLS handshake/i;
/** Maximum time for one image. Grafana's has some 200 MB. */
const TIMEOUT_MS = 15 * 60_000;

/** Reasons for which a pull fails, by words that skopeo prints, and what to do. */
const FAILURES: [words: RegExp, reason: string, cure: string][] = [
  [
    /manifest unknown|name unknown|not found|requested access to the resource is denied/i,
    "the registry has no such image",
    "check the image in versions.ts",
  ],
  [
    /does not match|digest mismatch|unexpected digest|mismatch/i,
    "the registry's image is not the one with this digest",
    "don't run it: the tag was moved or the registry is not the real one",
  ],
  [/toomanyrequests|429/i, "the registry takes no more requests for now", "wait, then run this again"],
  [
    BROKEN_OFF,
    "the registry can't be reached, or the connection broke off",
    "check the network (or a proxy's settings), then run this again",
  ],
];

/**
 * Pulls images from their registries with skopeo, by digest where they have one, and keeps them in the cache.
 *
 * @param names full names with a tag, and a digest or none
 * @returns archives that containerd imports; each has its image under the name without the digest
 * @throws Error that names the image, the reason and what to do
 */
export async function pullImages(names: readonly string[], options: PullOptions): Promise<string[]> {
  const archives: string[] = [];
  // One after the other: registries limit the rate of pulls without an account.
  for (const name of names) archives.push(await pullImage(name, options));
  return archives;
}

async function pullImage(
  name: string,
  { cacheDir, report, registriesConf = process.env.CONTAINERS_REGISTRIES_CONF }: PullOptions,
): Promise<string> {
  const folder = await inCache(cacheDir, `official-${contentKey([{ name }])}`, async (out) => {
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

/** The name by which skopeo asks: it takes a tag or a digest, not both. */
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
