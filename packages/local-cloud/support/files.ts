import { readFile, rename, writeFile } from "node:fs/promises";

/**
 * Writes a file atomically: writes a temporary file in the same directory and renames it. Readers, and the next run
 * after a kill or a full disk, see either the old or the new content.
 *
 * @param mode file mode, default 0o644
 */
export async function writeFileAtomic(file: string, content: string, mode = 0o644): Promise<void> {
  await writeFile(`${file}.new`, content, { mode });
  await rename(`${file}.new`, file);
}

/**
 * Returns the text of a file, or undefined if it does not exist.
 *
 * @throws Error when it can't be read
 */
export async function readFileIfExists(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(undefinedIfMissing);
}

/**
 * Returns the parsed content of a JSON file, or undefined if it does not exist.
 *
 * @throws Error that names a file with invalid JSON
 */
export async function readJson(file: string): Promise<unknown> {
  const text = await readFileIfExists(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(
      `${file} is not valid JSON (${why}). Repair it, or remove the local cloud with "npm stop" and start again`,
      {
        cause: error,
      },
    );
  }
}

/** Error handler of file operations: returns undefined if the file does not exist, and rethrows other errors. */
export function undefinedIfMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  return undefined;
}
