/** Images of the environment. The only values that this package imports from the project that it runs. */
export { images } from "../../../versions.ts";
