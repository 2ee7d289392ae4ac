import { serve } from "../plugin/serve.ts";
import { pluginVersion } from "../plugin/version.ts";
import { RandomProvider } from "./provider.ts";

await serve(new RandomProvider(pluginVersion("@pulumi/random")));
