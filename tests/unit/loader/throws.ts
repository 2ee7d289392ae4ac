/** When Node runs this file, spaces replace this type. Stack traces must nevertheless name the right line and column. */
export interface Something {
  name: string;
}

export function fail(something: Something): never {
  throw new Error(something.name); // line 7
}
