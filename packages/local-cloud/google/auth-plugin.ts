import { randomBytes } from "node:crypto";
import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { shellWord } from "../support/shell.ts";

/** Paths of a local cloud that the replacement for `gke-gcloud-auth-plugin` uses. */
interface Place {
  readonly binDir: string;
  readonly accessTokenFile: string;
}

/**
 * Installs a replacement for Google's `gke-gcloud-auth-plugin` into the cloud's `binDir`. The replacement returns the
 * token of the emulated Google account, which the local API server accepts. Creates the token if it does not exist.
 * Idempotent.
 *
 * @returns path of the replacement
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
  // Replaced by rename because a client may be starting the existing file.
  await writeFile(`${file}.new`, script(cloud.accessTokenFile));
  await chmod(`${file}.new`, 0o755);
  await rename(`${file}.new`, file);
  return file;
}

/**
 * Returns the shell script that replaces `gke-gcloud-auth-plugin`. It implements client-go's ExecCredential protocol.
 */
function script(tokenFile: string): string {
  return `#!/bin/sh
# Returns the token of the local cloud's Google account, like gke-gcloud-auth-plugin.
token=$(cat ${shellWord(tokenFile)}) || exit 1
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{},"status":{"token":"%s"}}\\n' "$token"
`;
}
