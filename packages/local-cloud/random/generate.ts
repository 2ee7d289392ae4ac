import { randomInt } from "node:crypto";
import { number, optionalText, type Values } from "../plugin/values.ts";

const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = lower.toUpperCase();
const numeric = "0123456789";
/** The real provider's default of `overrideSpecial`. */
const special = "!@#$%&*()-_=+[]{}<>:?";

/** Maximum number of characters. A larger one is probably a mistake, and the text would take minutes to generate. */
const maxLength = 100_000;

/** A class of characters. */
interface Kind {
  readonly letters: string;
  /** Whether the text may have more characters of this class than the minimum. */
  readonly isAllowed: boolean;
  /** Minimum number of characters of this class. As in the real provider, it applies even if `isAllowed` is false. */
  readonly min: number;
}

function kinds(inputs: Values): Kind[] {
  const kind = (argument: string, letters: string, isAllowed = inputs[argument] !== false): Kind => ({
    letters,
    isAllowed,
    min: number(inputs, `min${argument.charAt(0).toUpperCase()}${argument.slice(1)}`) ?? 0,
  });
  // As in the real provider, an empty `overrideSpecial` means the default.
  const specials = optionalText(inputs, "overrideSpecial");
  return [
    kind("lower", lower),
    kind("upper", upper),
    // The argument `numeric` has the deprecated alias `number`; either of them can turn digits off. `minNumeric` has no
    // alias.
    kind("numeric", numeric, inputs["numeric"] !== false && inputs["number"] !== false),
    kind("special", specials === undefined || specials === "" ? special : specials),
  ];
}

/** Validates combinations of arguments, with the real provider's messages where they are known. */
export function validateText(inputs: Values): { property: string; reason: string }[] {
  const length = number(inputs, "length") ?? 0;
  if (length < 1 || length > maxLength) {
    return [{ property: "length", reason: `Attribute length value must be at least 1, got: ${length}` }];
  }
  const all = kinds(inputs);
  const min = all.reduce((sum, kind) => sum + kind.min, 0);
  if (length < min) {
    const reason = `Attribute length value must be at least sum of min_upper + min_lower + min_numeric + min_special (${min}), got: ${length}`;
    return [{ property: "length", reason }];
  }
  if (all.some((kind) => kind.isAllowed)) return [];
  return [{ property: "", reason: "At least one of lower, upper, numeric and special must be true" }];
}

/**
 * Returns a random text for the arguments of RandomPassword and RandomString, from the system's secure random
 * source.
 */
export function randomText(inputs: Values): string {
  const all = kinds(inputs);
  const allowed = all.map((kind) => (kind.isAllowed ? kind.letters : "")).join("");
  const letters = all.flatMap((kind) => Array.from({ length: kind.min }, () => pick(kind.letters)));
  while (letters.length < (number(inputs, "length") ?? 0)) letters.push(pick(allowed));
  return shuffle(letters).join("");
}

function pick(letters: string): string {
  return letters.charAt(randomInt(letters.length));
}

/** Fisher-Yates shuffle: all permutations are equally likely. */
function shuffle(letters: string[]): string[] {
  for (let last = letters.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    const letter = letters[last] ?? "";
    letters[last] = letters[other] ?? "";
    letters[other] = letter;
  }
  return letters;
}
