import { RandomPassword } from "@pulumi/random/randomPassword.js";

for (let n = 0; n < Number(process.env.MANY); n++) new RandomPassword(`password-${n}`, { length: 20 });
