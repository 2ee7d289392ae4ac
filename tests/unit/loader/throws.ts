/** The types of this file are blanked out when the program runs. */
export interface Something {
  name: string;
}

export function fail(something: Something): never {
  throw new Error(something.name); // line 7
}
