// Pulumi loads a policy pack with require() and awaits its export; the pack itself consists of ES modules.
module.exports = import("../loader.mjs").then(() => import("./pack.ts"));
