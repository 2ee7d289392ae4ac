/** Node replaces this type by spaces when it runs the file. Stack traces must still name the right line and column. */
export interface Something {
  name: string;
}

export function fail(something: Something): never {
  throw new Error(something.name); // line 7
}
