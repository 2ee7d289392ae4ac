// Pulumi loads a policy pack with require() and awaits its export. The pack's other files are ES modules.
module.exports = import("../loader.mjs").then(() => import("./pack.ts"));
