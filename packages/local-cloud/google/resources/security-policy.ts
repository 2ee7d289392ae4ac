import {
  isValues,
  list,
  map,
  maps,
  number,
  optionalText,
  text,
  type Value,
  type Values,
} from "../../plugin/values.ts";
import type { PolicyRule } from "../../cluster/front-end/policy.ts";
import { checkName, checkRange, notEmulated, oneOf } from "../model/checks.ts";
import { selfLink } from "../model/place.ts";
import { labelled, stamped, type ResourceType } from "../model/resource-type.ts";
import { numericId } from "../model/ids.ts";

/** Priority of the default rule, which every policy must have. */
const LAST = 2_147_483_647;

/** A Cloud Armor security policy. The front end enforces rules by source address. */
export const securityPolicy: ResourceType = {
  token: "gcp:compute/securityPolicy:SecurityPolicy",
  title: "SecurityPolicy",
  kind: "security_policy",
  scope: "global",
  api: "compute.googleapis.com",
  checks: {
    name: checkName,
    type: oneOf("CLOUD_ARMOR"),
    rules: checkRules,
    "rules.match.config.srcIpRanges": (value, at) => (value === "*" ? undefined : checkRange(value, at)),
    ...notEmulated("adaptiveProtectionConfig", "advancedOptionsConfig", "recaptchaOptionsConfig"),
  },
  path: (inputs, { project }) => `projects/${project}/global/securityPolicies/${text(inputs, "name")}`,
  admit: ({ path, inputs, previous }) => ({
    outputs: {
      type: inputs["type"] ?? "CLOUD_ARMOR",
      ...stamped(previous, selfLink(path)),
      ...labelled(inputs),
      fingerprint: Buffer.from(numericId()).toString("base64").slice(0, 11) + "=",
    },
  }),
  work: async ({ machines }, { inputs }) => {
    // `checkRules` has accepted the rules, so they have this type.
    const rules = maps(inputs, "rules") as unknown as PolicyRule[];
    await machines.setSecurityPolicy(text(inputs, "name"), rules);
    return {};
  },
  remove: ({ machines }, { inputs }) => machines.setSecurityPolicy(text(inputs, "name"), undefined),
};

/** Checks Google's constraints on a policy's rules. The messages are not Google's. */
function checkRules(value: Value): string | undefined {
  const rules = maps({ value }, "value");
  const priorities = rules.map((rule) => number(rule, "priority"));
  const twice = priorities.find((priority, at) => priorities.indexOf(priority) !== at);
  if (twice !== undefined) return `rules: two rules have priority ${twice}`;
  const last = rules.find((rule) => number(rule, "priority") === LAST);
  if (last === undefined || ranges(last)[0] !== "*") {
    return `rules: a policy needs a default rule with priority ${LAST} for "*"`;
  }
  return rules.map(checkRule).find((wrong) => wrong !== undefined);
}

function checkRule(rule: Values): string | undefined {
  const action = optionalText(rule, "action") ?? "";
  const of = `rules, priority ${number(rule, "priority")}`;
  if (!/^(allow|throttle|deny\((403|404|502)\))$/.test(action)) {
    return `${of}: the local cloud supports allow, deny(403), deny(404), deny(502) and throttle, not "${action}"`;
  }
  const wrong = checkLimit(rule, action);
  if (wrong !== undefined) return `${of}: ${wrong}`;
  if (optionalText(map(rule, "match"), "versionedExpr") !== "SRC_IPS_V1") {
    return `${of}: the local cloud supports only versionedExpr SRC_IPS_V1`;
  }
  return undefined;
}

function checkLimit(rule: Values, action: string): string | undefined {
  const options = rule["rateLimitOptions"];
  if (action !== "throttle")
    return options === undefined ? undefined : "rateLimitOptions need action throttle";
  if (!isValues(options)) return "throttle needs rateLimitOptions";
  const { count, intervalSec } = map(options, "rateLimitThreshold");
  // Google allows only these intervals, in seconds.
  const intervals = [10, 30, 60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600];
  if (typeof count !== "number" || count < 1 || !intervals.includes(Number(intervalSec))) {
    return `rateLimitThreshold needs a count of at least 1, and one of these as intervalSec: ${intervals.join(", ")}`;
  }
  if (optionalText(options, "conformAction") !== "allow") return "conformAction must be allow";
  const exceed = optionalText(options, "exceedAction") ?? "";
  if (!/^deny\((403|404|429|502)\)$/.test(exceed)) return `exceedAction can't be "${exceed}"`;
  if (optionalText(options, "enforceOnKey") !== "IP") return "the local cloud supports only enforceOnKey IP";
  return undefined;
}

function ranges(rule: Values): string[] {
  const { config } = map(rule, "match");
  return isValues(config) ? list(config, "srcIpRanges").map(String) : [];
}
