import { parseArgs, type ParseArgsConfig } from "node:util";

/** Definition of a command's arguments. */
interface CommandLine<Options> {
  /** How to call the command, e.g. `npm run recover -- STACK [--json]`, and further lines about its options. */
  usage: string;
  /** Options, as for `parseArgs` of Node. `--help` and `-h` are added. */
  options?: Options;
  /** Minimum and maximum number of positional arguments. By default there are none. */
  positionals?: [min: number, max: number];
  /** Arguments after the script's name. By default those of this process. */
  args?: string[];
}

/**
 * Returns the parsed arguments. With `--help` it prints the usage and exits instead; with arguments that do not fit the
 * definition, it calls {@link exitWithUsage}.
 */
export function readCommandLine<const Options extends NonNullable<ParseArgsConfig["options"]>>({
  usage,
  options,
  positionals: [min, max] = [0, 0],
  args = process.argv.slice(2),
}: CommandLine<Options>) {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(`Usage: ${usage}`);
    process.exit(0);
  }
  try {
    const parsed = parseArgs({ args, options: options ?? ({} as Options), allowPositionals: true });
    const { length } = parsed.positionals;
    if (length < min) throw new Error("An argument is missing");
    if (length > max) throw new Error(`Unexpected argument '${String(parsed.positionals[max])}'`);
    return parsed;
  } catch (error) {
    // Node's message continues with advice about options in general, which is cut off.
    exitWithUsage((error as Error).message.replace(/\.\s[^]*/, ""), usage);
  }
}

/** Prints the problem with the command line in one line on standard error, then the usage, and exits with status 2. */
export function exitWithUsage(problem: string, usage: string): never {
  console.error(`${problem}\nUsage: ${usage}`);
  process.exit(2);
}
