// Pulumi loads a pack with require(), and its own TypeScript loader takes no ES modules: tsx takes both.
module.exports = require("tsx/cjs/api").require("./pack.ts", __filename);
