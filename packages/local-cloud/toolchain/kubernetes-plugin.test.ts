import { expect, test } from "vitest";
import { removeTypes } from "./kubernetes-plugin.ts";

const kind = (group: string, name: string, token: string) => `\tcase "${group}/${name}":
\t\tvar res somev1.${name}
\t\terr := ctx.RegisterResource("${token}", name, props, &res, opts...)
\t\tif err != nil {
\t\t\treturn nil, err
\t\t}
\t\treturn &res, nil
`;

const source = (kinds: string) => `import (
\t"fmt"

\t"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
\tsomev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/some/v1"
\t"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)
\tswitch fullKind {
${kinds}\tdefault:
\t\tvar res apiextensions.CustomResource
\t\terr := ctx.RegisterResource(fmt.Sprintf("kubernetes:%s:%s", apiVersion, kind), name, props, &res, opts...)
`;

test("replaces the kinds by the default case, with the core group's name", () => {
  const table =
    kind("v1", "Pod", "kubernetes:core/v1:Pod") +
    kind("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment");
  const left = removeTypes(source(table));
  expect(left).not.toContain("case ");
  expect(left).not.toContain("some/v1");
  expect(left).toContain("apiextensions.CustomResource");
  expect(left).toContain('true: "core/v1"');
});

test.each([
  ["a kind with another token", kind("apps/v1", "Deployment", "kubernetes:apps/v2:Deployment")],
  [
    "a kind that is registered differently",
    '\tcase "v1/List":\n\t\tvar res somev1.List\n\t\treturn &res, nil\n',
  ],
  ["no kinds at all", ""],
])("fails on %s", (_, table) => {
  expect(() => removeTypes(source(table))).toThrow("update kubernetes-plugin.ts");
});
