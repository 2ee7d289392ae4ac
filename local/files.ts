import { readFile, rename, writeFile } from "node:fs/promises";

/**
 * Writes a file so that it is whole at any time: beside, and then renamed. Whoever reads it meanwhile finds the one
 * before, and so does the next run when this one is killed or the disk is full.
 *
 * @param mode of the file, 0o644 by default
 */
export async function writeWhole(file: string, content: string, mode = 0o644): Promise<void> {
  await writeFile(`${file}.new`, content, { mode });
  await rename(`${file}.new`, file);
}

/** The text of a file, undefined when there is no such file. @throws Error when it can't be read */
export async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(unlessAbsent);
}

/** What a file of JSON holds, undefined when there is no such file. @throws Error that names a broken one */
export async function readJson(file: string): Promise<unknown> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(
      `${file} is broken (${why}). Put it right, or begin anew: npm stop removes the local cloud`,
      {
        cause: error,
      },
    );
  }
}

/** For what reads files: one that is not there is no error. */
export function unlessAbsent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  return undefined;
}
