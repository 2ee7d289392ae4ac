import { randomInt } from "node:crypto";
import { number, optionalText, type Values } from "../plugin/values.ts";

const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = lower.toUpperCase();
const numeric = "0123456789";
/** The real provider's default for `overrideSpecial`. */
const special = "!@#$%&*()-_=+[]{}<>:?";

/** Longest text anyone asked for by mistake would otherwise be made letter by letter. */
const longest = 100_000;

/** A kind of character: from which letters, whether wanted at all, and how many at least. */
interface Kind {
  readonly argument: string;
  readonly letters: string;
  readonly wanted: boolean;
  readonly least: number;
}

function kinds(inputs: Values): Kind[] {
  const kind = (argument: string, letters: string): Kind => ({
    argument,
    letters,
    wanted: inputs[argument] !== false,
    least: number(inputs, `min${argument.charAt(0).toUpperCase()}${argument.slice(1)}`) ?? 0,
  });
  // An empty `overrideSpecial` is as good as none, as in the real provider.
  const specials = optionalText(inputs, "overrideSpecial");
  return [
    kind("lower", lower),
    kind("upper", upper),
    kind("numeric", numeric),
    kind("special", specials === undefined || specials === "" ? special : specials),
  ];
}

/** What is wrong with the arguments of a random text, in the real provider's words where it has some. */
export function refuseRandomText(inputs: Values): { property: string; reason: string }[] {
  const length = number(inputs, "length");
  if (length === undefined) {
    return [{ property: "length", reason: "Missing required property 'length'" }];
  }
  if (!Number.isInteger(length) || length < 1 || length > longest) {
    return [{ property: "length", reason: `Attribute length value must be at least 1, got: ${length}` }];
  }
  const all = kinds(inputs);
  const least = all.reduce((sum, kind) => sum + kind.least, 0);
  if (length < least) {
    const reason = `Attribute length value must be at least sum of minUpper + minLower + minNumeric + minSpecial (${least}), got: ${length}`;
    return [{ property: "length", reason }];
  }
  if (all.every((kind) => !kind.wanted)) {
    return [{ property: "", reason: "At least one of lower, upper, numeric and special must be true" }];
  }
  return all
    .filter((kind) => !kind.wanted && kind.least > 0)
    .map(({ argument, least: count }) => ({
      property: argument,
      reason: `${argument} is false, but at least ${count} of them are asked for`,
    }));
}

/** A random text after the arguments of RandomPassword and RandomString, from the system's secure source. */
export function randomText(inputs: Values): string {
  const all = kinds(inputs).filter((kind) => kind.wanted);
  const any = all.map((kind) => kind.letters).join("");
  const letters = all.flatMap((kind) => Array.from({ length: kind.least }, () => pick(kind.letters)));
  while (letters.length < (number(inputs, "length") ?? 0)) letters.push(pick(any));
  return shuffle(letters).join("");
}

function pick(letters: string): string {
  return letters.charAt(randomInt(letters.length));
}

/** Fisher and Yates: every order is equally likely. */
function shuffle(letters: string[]): string[] {
  for (let last = letters.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    const letter = letters[last] ?? "";
    letters[last] = letters[other] ?? "";
    letters[other] = letter;
  }
  return letters;
}
