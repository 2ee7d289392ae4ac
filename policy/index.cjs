// Pulumi loads a policy pack with require() and awaits what it exports; the pack itself is written as ES modules.
module.exports = import("../loader.mjs").then(() => import("./pack.ts"));
