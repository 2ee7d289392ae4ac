import { randomBytes } from "node:crypto";
import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";

/** The paths of a local cloud that matter here. */
interface Place {
  readonly binDir: string;
  readonly accessTokenFile: string;
}

/**
 * Lays the stand-in for Google's `gke-gcloud-auth-plugin` into the cloud's `binDir`: it hands out the
 * token of the emulated Google account, which the local API server knows. Makes that token when there is
 * none, and keeps one that is there. May be repeated.
 *
 * @returns path of the stand-in
 */
export async function installAuthPlugin(cloud: Place): Promise<string> {
  await mkdir(path.dirname(cloud.accessTokenFile), { recursive: true });
  await writeFile(cloud.accessTokenFile, randomBytes(32).toString("hex"), { mode: 0o600, flag: "wx" }).catch(
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    },
  );
  await mkdir(cloud.binDir, { recursive: true });
  const file = path.join(cloud.binDir, "gke-gcloud-auth-plugin");
  // Renamed, since a client may just be starting the one that is there.
  await writeFile(`${file}.new`, script(cloud.accessTokenFile));
  await chmod(`${file}.new`, 0o755);
  await rename(`${file}.new`, file);
  return file;
}

/** What clients run; client-go's ExecCredential is the protocol. */
function script(tokenFile: string): string {
  return `#!/bin/sh
# Hands out the token of the local cloud's Google account, as gke-gcloud-auth-plugin does Google's.
token=$(cat ${shellWord(tokenFile)}) || exit 1
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{},"status":{"token":"%s"}}\\n' "$token"
`;
}

/** The text as one word of a shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
