/**
 * Images of the environment. Besides helpers in `lib/`, this package imports nothing else from the project that it
 * runs.
 */
export { images } from "../../../versions.ts";
