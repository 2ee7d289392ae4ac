/**
 * Images of the environment. These and helpers in `lib/` are all that this package imports from the rest of the
 * repository.
 */
export { images } from "../../../versions.ts";
