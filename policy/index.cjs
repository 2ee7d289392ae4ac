// Pulumi loads a pack with require(), and its own TypeScript loader takes no ES modules: tsx takes both.
require("tsx/cjs/api").register();
require("./pack.ts");
